// `npm start`: installs the npm packages if they are missing, compiles the UDP addon if it can, then starts `strowger up` on Node 24.
// This file is plain JavaScript because it runs on the machine's own Node, which may not strip types.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildUdpAddon } from "../native/udp/build.mjs";
import { installPackages, node24 } from "./src/setup/npm-packages.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

try {
  await installPackages(root);
  buildUdpAddon(); // the nodes run without it too, and their log has the engine
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

// With setpriv the kernel sends SIGTERM to the exchange when this process is killed with SIGKILL.
const setpriv = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "TERM"] : [];
const [command, ...args] = [
  ...setpriv,
  node24(root),
  join(root, "cli/src/main.ts"),
  "up",
  ...process.argv.slice(2),
];
const child = spawn(command, args, { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`Node 24 could not be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (status, signal) => process.exit(signal ? 1 : (status ?? 1)));
