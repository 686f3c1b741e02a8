/**
 * Images that the tests make, as archives in a cache outside the checkout, each keyed by what it was made from. buildah keeps its layers
 * there too, so that a change of code does not install packages again.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../tools/build.ts";
import { underLock } from "../../tools/machine-lock.ts";
import { runCommand } from "./run-command.ts";

export interface ImagePlan {
  /** With its tag, as pods name it. */
  readonly name: string;
  /** Everything that the image depends on: an image with the same inputs is not made again. */
  readonly inputs: readonly string[];
  /** Shown while it is made. */
  readonly about: string;
  readonly context: string;
  readonly containerfile: string;
  readonly arguments?: readonly string[];
  /** Prepares what the image needs beside its inputs. Returns further arguments of the build. */
  readonly prepare?: (folder: string) => Promise<readonly string[]>;
}

const folder = join(cacheFolder, "images");
const storage = [
  "--root",
  join(folder, "layers"),
  "--runroot",
  join(folder, "run"),
  "--storage-driver",
  "overlay",
];
const kept = 3;

/** The path of the image's archive (docker-archive), which is made where it is absent. */
export async function imageArchive(plan: ImagePlan): Promise<string> {
  const stem = plan.name.replaceAll(/[/:]/g, "_");
  const path = join(folder, `${stem}-${digest(plan.inputs)}.tar`);
  if (existsSync(path)) return path;
  const wait = (): unknown => tell(`image ${plan.name}: another run is building; waiting for it`);
  await underLock(folder, wait, async () => {
    if (!existsSync(path)) await make(plan, stem, path);
  });
  return path;
}

/** Of the names and contents of files, in the order of their names. */
export async function digestOfFiles(paths: readonly string[]): Promise<string> {
  const parts = [...paths].sort().map(async (path) => [path, await readFile(path, "base64")]);
  return digest((await Promise.all(parts)).flat());
}

async function make(plan: ImagePlan, stem: string, path: string): Promise<void> {
  tell(`image ${plan.name}: ${plan.about}`);
  const begin = Date.now();
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "strowger-image-"));
  const unfinished = `${path}.${process.pid}`;
  try {
    const file = join(work, "Containerfile");
    await writeFile(file, plan.containerfile);
    const further = (await plan.prepare?.(work)) ?? [];
    const place = ["--isolation", "chroot", "--network", "host", "--layers", "--format", "docker"];
    const args = [
      ...place,
      ...(plan.arguments ?? []),
      ...further,
      "-t",
      plan.name,
      "-f",
      file,
      plan.context || work,
    ];
    await buildah(["build", ...args]);
    await buildah(["push", plan.name, `docker-archive:${unfinished}:${plan.name}`]);
    await rename(unfinished, path);
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(unfinished, { force: true });
  }
  await forgetOld(stem);
  tell(`image ${plan.name}: made in ${Math.round((Date.now() - begin) / 1000)} s`);
}

const buildah = (args: readonly string[]): Promise<string> =>
  runCommand("buildah", [...storage, ...args], { timeoutMs: 900_000 });

/** Archives of older inputs take space; the newest few stay. */
async function forgetOld(stem: string): Promise<void> {
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(`${stem}-`) && name.endsWith(".tar"),
  );
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  for (const { name } of aged.sort((a, b) => b.at - a.at).slice(kept))
    await rm(join(folder, name), { force: true });
}

export const digest = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);

const tell = (line: string): unknown => process.stderr.write(`${line}\n`);
