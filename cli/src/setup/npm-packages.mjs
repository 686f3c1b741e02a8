// Installs the npm packages of package-lock.json. This file is plain JavaScript: the first process of `npm start` and `npm test`
// runs on the machine's own Node (18 or newer), which may not strip types.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The path of the Node 24 binary, which the npm package `node` installs in node_modules. */
export function node24(root) {
  return join(root, "node_modules", ".bin", process.platform === "win32" ? "node.exe" : "node");
}

/** Runs `npm ci` if a package of the lock file is missing or has another version. Throws Error with the end of npm's output. */
export async function installPackages(root) {
  if (missingPackages(root).length === 0) return;
  const total = Object.keys(readLock(join(root, "package-lock.json"))).length;
  const started = Date.now();
  const progress = setInterval(
    () => {
      const seconds = Math.round((Date.now() - started) / 1000);
      const text = `npm packages: ${countPackages(root)} of about ${total}, ${seconds} s`;
      process.stderr.write(process.stderr.isTTY ? `\r${text}` : `${text}\n`);
    },
    process.stderr.isTTY ? 500 : 5000,
  );
  try {
    await npmCi(root);
  } finally {
    clearInterval(progress);
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stderr.write(
    `${process.stderr.isTTY ? "\r" : ""}npm packages: installed in ${seconds} s                  \n`,
  );
}

/** The packages that are missing or have another version than in the lock file; the Node 24 binary comes first. */
function missingPackages(root) {
  const wanted = readLock(join(root, "package-lock.json"));
  const found = readLock(join(root, "node_modules", ".package-lock.json"));
  const missing = Object.keys(wanted).filter((path) => {
    const entry = wanted[path];
    return (
      path.startsWith("node_modules/") &&
      !entry.optional &&
      !entry.link &&
      found[path]?.version !== entry.version
    );
  });
  return existsSync(node24(root)) ? missing : ["node", ...missing];
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  } catch {
    return {};
  }
}

function countPackages(root) {
  try {
    return readdirSync(join(root, "node_modules"), { withFileTypes: true }).flatMap((entry) =>
      entry.name.startsWith("@") ? readdirSync(join(root, "node_modules", entry.name)) : [entry.name],
    ).length;
  } catch {
    return 0;
  }
}

function npmCi(root) {
  const npm = process.env.npm_execpath;
  const [command, ...before] = npm ? [process.execPath, npm] : ["npm"];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...before, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => (output = (output + chunk).slice(-4000)));
    child.on("error", (cause) => reject(new Error(`npm could not be started: ${cause.message}`)));
    child.on("close", (status) =>
      status === 0 ? resolve() : reject(new Error(`npm ci failed (status ${status}):\n${output}`)),
    );
  });
}
