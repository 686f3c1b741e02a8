/** Settings that change under a running node: what is put in force, refused, or waits for a restart, told once each. */
import { beforeEach, expect, it } from "vitest";
import { type Config, ConfigError, type Settings } from "./config.ts";
import { LiveSettings } from "./live-settings.ts";

const config: Config = {
  name: "node",
  sip: {
    listen: { host: "0.0.0.0", port: 5060 },
    reusePort: false,
    advertise: { host: "203.0.113.1", port: 5060 },
    locationSocket: undefined,
    former: [],
    direct: { host: "0.0.0.0", port: 5062 },
  },
  cluster: { listen: { host: "0.0.0.0", port: 7060 }, advertise: { host: "10.0.0.1", port: 7060 } },
  http: { host: "0.0.0.0", port: 8080 },
  control: { host: "127.0.0.1", port: 8081 },
  mysql: {
    hosts: [{ host: "db", port: 3306 }],
    user: "node",
    password: "x",
    database: "opensips",
    connections: 8,
    tls: undefined,
  },
  peers: [],
  drainTimeout: 240_000,
  insideRanges: [],
  maxTransactions: 1000,
  maxFlows: 1000,
  logLevel: "info",
};
const begun: Settings = { config, keys: [], hash: "begun" };

let mounted: Settings | ConfigError;
let told: string[];
let live: LiveSettings;
beforeEach(() => {
  [mounted, told] = [begun, []];
  live = new LiveSettings(begun, {
    read() {
      if (mounted instanceof ConfigError) throw mounted;
      return mounted;
    },
    apply: ({ hash }) => told.push(`apply ${hash}`),
    refused: (problems) => told.push(`refused ${problems.join(", ")}`),
    applied: ({ hash }, waiting) => told.push(`applied ${hash}; waiting: ${waiting.join(", ")}`),
  });
});

/** Files are looked at twice: nothing is told twice. */
function looks(next: Settings | ConfigError): string[] {
  mounted = next;
  live.look();
  live.look();
  return told.splice(0);
}

it("files that say the same change nothing", () => {
  expect(looks({ ...begun, config: structuredClone(config) })).toEqual([]);
});

it("what can change does, and its hash with it", () => {
  const next = { ...begun, config: { ...config, drainTimeout: 1_000, peers: ["192.0.2.1"] }, hash: "next" };
  expect(looks(next)).toEqual(["apply next", "applied next; waiting: "]);
  expect([live.hash, live.config.drainTimeout]).toEqual(["next", 1_000]);
});

it("new credentials are no part of the files' hash, and come into force all the same", () => {
  const mysql = { ...config.mysql, password: "y" };
  expect(looks({ ...begun, config: { ...config, mysql } })).toEqual([
    "apply begun",
    "applied begun; waiting: ",
  ]);
});

it("what needs a restart is named until the files say again what the process began with", () => {
  const next = {
    ...begun,
    config: { ...config, http: { host: "0.0.0.0", port: 9 }, name: "other", logLevel: "warn" as const },
    hash: "next",
  };
  expect(looks(next)).toEqual(["apply next", "applied next; waiting: name, http.listen"]);
  expect(live.report.restarts).toEqual(["name", "http.listen"]);
  expect(looks({ ...begun, hash: "back" })).toEqual(["apply back", "applied back; waiting: "]);
});

it("files with problems leave all as it was, until they are right again", () => {
  expect(looks(new ConfigError(["a", "b"]))).toEqual(["refused a, b"]);
  expect([live.hash, live.config, live.report.problems]).toEqual(["begun", config, ["a", "b"]]);
  expect(looks(new ConfigError(["a"]))).toEqual(["refused a"]);
  expect(looks(begun)).toEqual(["applied begun; waiting: "]);
  expect(live.report.problems).toEqual([]);
});

it("an error of ours is none of the files'", () => {
  live = new LiveSettings(begun, {
    read: () => {
      throw new TypeError("ours");
    },
    apply: () => {},
    refused: () => {},
    applied: () => {},
  });
  expect(() => live.look()).toThrow(TypeError);
});
