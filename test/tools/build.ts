/**
 * Builds the programs of `programs.ts` from the pinned Go modules in this folder. They are cached outside the checkout in
 * `$XDG_CACHE_HOME/strowger/kube/<module>-<version>/<program>`. The variables of envtest can name existing programs.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { findGo, localToolchain } from "./go.ts";
import { underLock } from "./machine-lock.ts";
import { type Program, type ProgramName, programNames, programs } from "./programs.ts";

/** The cache of the tests: programs of this file, and images of test/support/kubernetes. */
export const cacheFolder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "strowger");

/** Returns the paths of the programs. Builds the missing ones one by one, with a line of progress for each. Throws with Go's output if a build fails. */
export async function kubeBinaries<Name extends ProgramName>(
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const paths: Partial<Record<Name, string>> = {};
  for (const name of programNames.filter((one): one is Name => (names as readonly string[]).includes(one)))
    paths[name] = assetOf(name) ?? (await build(name));
  return paths as Record<Name, string>;
}

/** A program from envtest's variables: `TEST_ASSET_KUBE_APISERVER=path`, or the folder `KUBEBUILDER_ASSETS`. */
export function assetOf(name: string): string | undefined {
  const asset = process.env[`TEST_ASSET_${name.toUpperCase().replaceAll("-", "_")}`];
  if (asset !== undefined && asset !== "") return asset;
  const folder = process.env["KUBEBUILDER_ASSETS"];
  return folder && existsSync(join(folder, name)) ? join(folder, name) : undefined;
}

async function build(name: ProgramName): Promise<string> {
  const program: Program = programs[name];
  const module = join(import.meta.dirname, program.module);
  const version = await versionOf(program, module);
  const folder = join(cacheFolder, "kube", `${program.module}-${version}`);
  const path = join(folder, name);
  if (existsSync(path)) return path;
  await underLock(
    join(cacheFolder, "kube"),
    () => log(`${name}: another run is building; waiting for it`),
    async () => {
      if (existsSync(path)) return;
      log(`${name}: building, about ${program.seconds} s the first time`);
      const begin = Date.now();
      await mkdir(folder, { recursive: true });
      const unfinished = `${path}.${process.pid}`;
      try {
        await goBuild(module, unfinished, program, version);
        await rename(unfinished, path);
      } finally {
        await rm(unfinished, { force: true });
      }
      log(`${name}: built in ${Math.round((Date.now() - begin) / 1000)} s`);
    },
  );
  return path;
}

/** The version of the program's module in go.mod. */
async function versionOf(program: Program, module: string): Promise<string> {
  const text = await readFile(join(module, "go.mod"), "utf8");
  const requires = [...text.matchAll(/^(?:require )?\t?(\S+) (v\d\S*)(?: \/\/ indirect)?$/gm)];
  const pinned = requires.find(([, path = ""]) => `${program.importPath}/`.startsWith(`${path}/`));
  return pinned?.[2] ?? "own";
}

async function goBuild(cwd: string, output: string, program: Program, version: string): Promise<void> {
  // Without these flags /version has v0.0.0-master, and Helm's check of a chart's kubeVersion fails.
  const [major, minor] = version.slice(1).split(".");
  const stamp = "-X k8s.io/component-base/version.git";
  const stamps = `${stamp}Version=${version} ${stamp}Major=${major} ${stamp}Minor=${minor}`;
  const flags = program.module === "kubernetes" ? `-s -w ${stamps}` : "-s -w";
  const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", flags, "-o", output];
  const child = spawn(await findGo(), [...args, program.importPath], {
    cwd,
    env: { ...localToolchain(), CGO_ENABLED: "0" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stop = (): unknown => child.kill();
  process.once("exit", stop);
  let goOutput = "";
  child.stderr.on("data", (chunk: Buffer) => (goOutput = (goOutput + chunk.toString()).slice(-3_000)));
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  process.off("exit", stop);
  if (status !== 0)
    throw new Error(`go build ${program.importPath} failed (status ${String(status)}):\n${goOutput}`);
}

const log = (line: string): unknown => process.stderr.write(`${line}\n`);
