// Brings node_modules to what package-lock.json says. Plain JavaScript: the first process of `npm start` and `npm test`
// runs on the machine's own Node (18 or newer), which strips no types.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The Node 24 binary that the npm package `node` puts into node_modules. */
export function node24(root) {
  return join(root, "node_modules", ".bin", process.platform === "win32" ? "node.exe" : "node");
}

/** Runs `npm ci` where something that the lock names is absent or of another version. Throws Error with npm's last words. */
export async function installPackages(root) {
  const wanted = missingPackages(root);
  if (wanted.length === 0) return;
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

/** Names of packages that are absent or have another version than the lock says, the Node 24 binary first. */
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
    let words = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => (words = (words + chunk).slice(-4000)));
    child.on("error", (cause) => reject(new Error(`npm could not be started: ${cause.message}`)));
    child.on("close", (status) =>
      status === 0 ? resolve() : reject(new Error(`npm ci failed (status ${status}):\n${words}`)),
    );
  });
}
