/**
 * Three projects. `unit` opens no port and never sleeps. `parts` uses real MariaDB, sockets, sipp, softphones and a Kubernetes API server.
 * `e2e` uses a whole Kubernetes cluster.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "{operator,sip-node,cli}/src/**/*.test.ts",
            "test/{scenarios,torture,fuzz,golden,guards,bench}/**/*.test.ts",
          ],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "parts",
          include: ["test/parts/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 1_200_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
