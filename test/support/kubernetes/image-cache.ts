/**
 * Builds images for the tests. The archives are in a cache outside the checkout; their names have a digest of the inputs. buildah's layers
 * are in the cache too, so that a change of code does not install packages again.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../tools/build.ts";
import { underLock } from "../../tools/machine-lock.ts";
import { runCommand } from "./run-command.ts";

interface ImagePlan {
  /** The name with the tag, as in pods. */
  readonly name: string;
  /** Everything that the image depends on. An image with the same inputs is not built again. */
  readonly inputs: readonly string[];
  /** Printed during the build. */
  readonly about: string;
  readonly context: string;
  readonly containerfile: string;
  readonly arguments?: readonly string[];
  /** Prepares additional files for the build. Returns additional arguments of the build. */
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
const archivesToKeep = 3;

/** Builds the image if its archive (docker-archive) does not exist. Returns the path of the archive. */
export async function imageArchive(plan: ImagePlan): Promise<string> {
  const stem = plan.name.replaceAll(/[/:]/g, "_");
  const path = join(folder, `${stem}-${digest(plan.inputs)}.tar`);
  if (existsSync(path)) return path;
  const wait = (): unknown => log(`image ${plan.name}: another run is building; waiting for it`);
  await underLock(folder, wait, async () => {
    if (!existsSync(path)) await buildImage(plan, stem, path);
  });
  return path;
}

/** A digest of the names and contents of the files, sorted by name. */
export async function digestOfFiles(paths: readonly string[]): Promise<string> {
  const parts = [...paths].sort().map(async (path) => [path, await readFile(path, "base64")]);
  return digest((await Promise.all(parts)).flat());
}

async function buildImage(plan: ImagePlan, stem: string, path: string): Promise<void> {
  log(`image ${plan.name}: ${plan.about}`);
  const begin = Date.now();
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "strowger-image-"));
  const unfinished = `${path}.${process.pid}`;
  try {
    const file = join(work, "Containerfile");
    await writeFile(file, plan.containerfile);
    const moreArguments = (await plan.prepare?.(work)) ?? [];
    const buildOptions = ["--isolation", "chroot", "--network", "host", "--layers", "--format", "docker"];
    const args = [
      ...buildOptions,
      ...(plan.arguments ?? []),
      ...moreArguments,
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
  await removeOldArchives(stem);
  log(`image ${plan.name}: built in ${Math.round((Date.now() - begin) / 1000)} s`);
}

const buildah = (args: readonly string[]): Promise<string> =>
  runCommand("buildah", [...storage, ...args], { timeoutMs: 900_000 });

/** Removes archives of older inputs, except for the newest three. */
async function removeOldArchives(stem: string): Promise<void> {
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(`${stem}-`) && name.endsWith(".tar"),
  );
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  for (const { name } of aged.sort((a, b) => b.at - a.at).slice(archivesToKeep))
    await rm(join(folder, name), { force: true });
}

const digest = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);

const log = (line: string): unknown => process.stderr.write(`${line}\n`);
