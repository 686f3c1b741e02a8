// `npm test`: installs missing tools, runs the steps of `npm run check` one by one, then the tests with real programs (parts and e2e). The
// last line is `N passed, N failed, N skipped`. `node test/run.mjs STAGE...` runs only the given stages of check, parts and e2e. The stage `long`
// (`npm run test:long`) runs the long forms of some tests, for about half an hour, and only when it is named. This file is plain JavaScript,
// because the first process runs on the machine's own Node.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, node24 } from "../cli/src/setup/npm-packages.mjs";
import { buildUdpAddon } from "../native/udp/build.mjs";
import { underMountedRoot } from "./under-mounted-root.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const reports = mkdtempSync(join(tmpdir(), "strowger-test-"));
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** How long or how often, by the variable that each test reads. */
const longForms = {
  STROWGER_RUNS: "10000",
  STROWGER_FUZZ_SECONDS: "600",
  STROWGER_CALLS: "10000",
  STROWGER_FLOOD: "60",
  STROWGER_OUTAGE: "60",
  STROWGER_HOSTILE: "1000000",
};
let running;

process.on("exit", () => rmSync(reports, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => running?.kill(signal));

try {
  await installPackages(root);
} catch (error) {
  console.error(error.message);
  finish("npm packages could not be installed");
}
const node = node24(root);
const missing = (await run([node, join(root, "cli/src/setup/main.ts"), "all"])) !== 0;
if (missing && process.env.CI === "true")
  finish("a tool is missing, and with CI=true no test may be skipped");
console.log(`UDP addon: ${buildUdpAddon()}`);

if (isSelected("check")) {
  for (const step of checkSteps()) {
    console.log(`\n--- ${step}`);
    if (step === "unit") await runProject("unit");
    else count(step, (await run([node, "--run", step])) === 0);
  }
}
if (isSelected("parts") || isSelected("e2e")) {
  console.log("\n--- programs of Kubernetes (missing ones are built from Go modules)");
  count("programs of Kubernetes", (await run([node, join(root, "test/tools/main.ts")])) === 0);
}
if (isSelected("parts")) {
  console.log("\n--- parts (real MariaDB, sockets, sipp, softphones, a Kubernetes API server)");
  await runProject("parts");
}
if (isSelected("e2e")) {
  console.log("\n--- e2e (two Kubernetes nodes, the chart, calls through the Service)");
  await runProject("e2e");
}
if (process.argv.includes("long")) {
  console.log("\n--- long forms (simulation of the leases, fuzzer, floods, calls right after a REGISTER)");
  Object.assign(process.env, longForms);
  await runProject("unit", ["test/scenarios/copy-leases.test.ts", "test/fuzz"]);
  await runProject("parts", [
    "test/parts/location/fresh-after-register.test.ts",
    "test/parts/calls/hostile-flood.test.ts",
    "test/parts/calls/hostile-memory.test.ts",
    "test/parts/cluster/database-hangs.test.ts",
  ]);
}
if (missing)
  console.log("\nA tool is missing (see above how to install it): the tests that need it count as skipped.");
finish();

function isSelected(stage) {
  const stages = process.argv.slice(2);
  return stages.length === 0 || stages.includes(stage);
}

/** The steps of package.json's script `check`, so that there is only one list. */
function checkSteps() {
  const { check } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
  return check.split("&&").map((part) => part.replace("node --run", "").trim());
}

/** Runs a vitest project. A file that could not be loaded counts as one failed test. */
async function runProject(project, files = []) {
  const report = join(reports, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const command = [node, vitest, "run", "--project", project, ...reporters, ...files];
  const status = await run(project === "unit" ? command : underMountedRoot(command));
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return count(`${project}: vitest wrote no report (status ${status})`, false);
  }
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests;
  counts.skipped += result.numPendingTests + result.numTodoTests;
  for (const file of result.testResults) {
    const failed = file.assertionResults.filter((test) => test.status === "failed");
    for (const test of failed) failures.push(`${project}: ${test.fullName}`);
    if (file.status === "failed" && failed.length === 0)
      count(`${project}: ${file.name}: ${file.message}`, false);
  }
  if (status !== 0 && result.success) count(`${project}: vitest ended with status ${status}`, false);
}

function count(name, passed) {
  counts[passed ? "passed" : "failed"] += 1;
  if (!passed) failures.push(name);
}

function run([command, ...args]) {
  // The scripts call biome, eslint and node by name: the checkout's own come first, also without `npm test`.
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  // With CI=true the seed is fixed. Other runs use a random seed, and a failed test prints it.
  const seed =
    process.env.CI === "true" && process.env.STROWGER_SEED === undefined ? { STROWGER_SEED: "gate" } : {};
  const env = { ...process.env, ...seed, PATH: path };
  running = spawn(command, args, { cwd: root, stdio: "inherit", env });
  return new Promise((resolve) => {
    running.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    running.on("close", (status) => resolve(status ?? 1));
  });
}

/** Prints the summary as the last line in every case. */
function finish(reason) {
  if (reason) count(reason, false);
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((name) => `  ${name}`).join("\n")}`);
  if (process.env.CI === "true" && counts.skipped > 0) console.log("\nWith CI=true no test may be skipped.");
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exit(counts.failed > 0 || (process.env.CI === "true" && counts.skipped > 0) ? 1 : 0);
}
