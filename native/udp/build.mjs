// Compiles `udp.c`, if there is a C compiler and the addon is missing or older than its source. `npm start`, `npm test`, `npm ci` and the
// Dockerfile run it. The addon is never required: without it, a node uses Node's own sockets (docs/adr/0046). Plain JavaScript, because it
// also runs on the machine's own Node, which may not strip types.
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const source = join(folder, "udp.c");
const addon = join(folder, "build/udp.node");
const flags = [
  "-std=gnu11",
  "-O2",
  "-Wall",
  "-Wextra",
  "-shared",
  "-fPIC",
  "-fvisibility=hidden",
  "-Wl,-z,now",
];

/** Returns "compiled", "up to date", or the reason why there is no addon. */
export function buildUdpAddon() {
  if (process.platform !== "linux") return "the addon is for Linux only";
  if (modified(addon) > Math.max(modified(source), modified(fileURLToPath(import.meta.url))))
    return "up to date";
  const headers = headersFolder();
  if (headers === undefined) return "the npm package node-api-headers is not installed";
  // Written under another name first: a running node has the old file mapped, and two builds may run at once
  const unfinished = `${addon}.${process.pid}`;
  mkdirSync(dirname(addon), { recursive: true });
  const { error, status, stderr } = spawnSync("cc", [...flags, "-I", headers, "-o", unfinished, source], {
    encoding: "utf8",
  });
  if (error === undefined && status === 0) {
    renameSync(unfinished, addon);
    return "compiled";
  }
  rmSync(unfinished, { force: true });
  return error?.code === "ENOENT" ? "there is no C compiler (cc)" : `cc failed:\n${stderr || error?.message}`;
}

function headersFolder() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
  } catch {
    return undefined;
  }
}

/** 0: there is no such file. */
function modified(file) {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = buildUdpAddon();
  process.stderr.write(`native/udp: ${result}\n`);
  // With --required, the build of an image fails instead of leaving the addon out
  if (process.argv.includes("--required") && result !== "compiled" && result !== "up to date")
    process.exit(1);
}
