/**
 * Finds the Go toolchain: this machine's if it is new enough. Otherwise the old one (Debian 12 has 1.19) downloads a newer toolchain, which
 * the Go project publishes as a module.
 */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findCommand } from "../../cli/src/setup/tools.ts";

const minMinor = 24;
const newerToolchain = "v0.0.1-go1.24.11";
const execute = promisify(execFile);

/** The path of a `go` of 1.24 or newer. */
export async function findGo(): Promise<string> {
  const installed = findCommand("go");
  if (installed === undefined)
    throw new Error("Go is not installed. On Debian or Ubuntu: apt-get install golang-go");
  const { stdout } = await execute(installed, ["env", "GOVERSION"], { env: localToolchain() });
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1]);
  return minor >= minMinor ? installed : await downloadToolchain(installed);
}

/** Prevents `go` from downloading another toolchain by itself. */
export const localToolchain = (): NodeJS.ProcessEnv => ({ ...process.env, GOTOOLCHAIN: "local" });

async function downloadToolchain(old: string): Promise<string> {
  const version = `${newerToolchain}.linux-${arch() === "x64" ? "amd64" : arch()}`;
  const outside = await mkdtemp(join(tmpdir(), "strowger-go-")); // outside of any module
  try {
    const { stdout } = await execute(old, ["mod", "download", "-json", `golang.org/toolchain@${version}`], {
      cwd: outside,
      env: localToolchain(),
    });
    const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
    // A module's files are stored without their executable bit.
    for (const sub of ["bin", `pkg/tool/linux_${arch() === "x64" ? "amd64" : arch()}`])
      for (const file of await readdir(join(folder, sub))) await chmod(join(folder, sub, file), 0o755);
    return join(folder, "bin/go");
  } finally {
    await rm(outside, { recursive: true, force: true });
  }
}
