/**
 * The images of the test's cluster: the two of this repository's Dockerfile, on a base image that is built here (a minimal Debian with the
 * checkout's Node 24 and npm), and images that a cluster needs: pause, DNS, and a MariaDB.
 */
import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { findCommand } from "../../../cli/src/setup/tools.ts";
import { kubeBinaries } from "../../tools/build.ts";
import { debianTree } from "./debian-tree.ts";
import { digestOfFiles, imageArchive } from "./image-cache.ts";
import { runCommand } from "./run-command.ts";

const root = resolve(import.meta.dirname, "../../..");

export const images = {
  base: "localhost/strowger/base:test",
  build: "localhost/strowger/build:test",
  operator: "localhost/strowger/operator:test",
  sipNode: "localhost/strowger/sip-node:test",
  pause: "localhost/strowger/pause:test",
  coredns: "localhost/strowger/coredns:test",
  mariadb: "localhost/strowger/mariadb:test",
} as const;

/** Returns the archives of the images of every test cluster: pause, CoreDNS, operator, sip-node. */
export async function clusterImages(): Promise<readonly string[]> {
  const bases = [await baseImage(), await buildImage()].join(" ");
  return [
    await programImage(images.pause, "pause"),
    await programImage(images.coredns, "coredns"),
    await repositoryImage(images.sipNode, "sip-node", bases),
    await repositoryImage(images.operator, "operator", bases),
  ];
}

/** Like the official Node image: Node and npm under /usr/local, and a user with the id 1000. */
export const baseImage = (): Promise<string> => nodeImage(images.base, [], "debootstrap, Node and npm");

/** The same with a C compiler. */
const buildImage = (): Promise<string> =>
  nodeImage(images.build, ["gcc", "libc6-dev"], "debootstrap, Node and a C compiler");

async function nodeImage(name: string, packages: readonly string[], about: string): Promise<string> {
  const npm = await npmFolder();
  return await imageArchive({
    name,
    inputs: [process.version, await readFile(join(npm, "package.json"), "utf8"), await digestOfFiles(recipe)],
    about: `${about}, about 60 s`,
    context: "",
    containerfile: `FROM scratch\nADD tree.tar /\nENV PATH=${imagePath}\nCMD ["node"]\n`,
    prepare: async (folder) => {
      await debianTree(folder, ["libstdc++6", "libatomic1", ...packages], (tree) => addNode(tree, npm));
      return [];
    },
  });
}

/** Debian's MariaDB with a shell and without an entry point, as `examples/kubernetes` needs it. */
export async function mariadbImage(): Promise<string> {
  return await imageArchive({
    name: images.mariadb,
    inputs: [await digestOfFiles(recipe)],
    about: "debootstrap with MariaDB, about 60 s",
    context: "",
    containerfile: `FROM scratch\nADD tree.tar /\nENV PATH=${imagePath}\n`,
    prepare: async (folder) => {
      await debianTree(folder, ["mariadb-server-core", "mariadb-client-core"]);
      return [];
    },
  });
}

/** A target of this repository's Dockerfile. */
async function repositoryImage(name: string, target: string, bases: string): Promise<string> {
  const files = await repositoryFiles();
  return await imageArchive({
    name,
    inputs: [target, bases, await digestOfFiles(files)],
    about: `the Dockerfile's target ${target}, about 30 s the first time`,
    context: root,
    containerfile: await readFile(join(root, "Dockerfile"), "utf8"),
    arguments: [
      `--build-arg=BASE_IMAGE=${images.base}`,
      `--build-arg=BUILD_IMAGE=${images.build}`,
      `--target=${target}`,
      "--pull-never",
    ],
    prepare: async (folder) => [`--secret=id=npmrc,src=${await npmSettings(folder)}`],
  });
}

/** An image with only a static program. */
async function programImage(name: string, program: "pause" | "coredns"): Promise<string> {
  const path = (await kubeBinaries([program]))[program];
  return await imageArchive({
    name,
    inputs: [path],
    about: "one static program",
    context: "",
    containerfile: `FROM scratch\nCOPY ${program} /${program}\nUSER 65534:65534\nENTRYPOINT ["/${program}"]\n`,
    prepare: async (folder) => {
      await copyFile(path, join(folder, program));
      return [];
    },
  });
}

const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const recipe = [import.meta.filename, join(import.meta.dirname, "debian-tree.ts")];

async function addNode(tree: string, npm: string): Promise<void> {
  await copyFile(process.execPath, join(tree, "usr/local/bin/node"));
  const library = join(tree, "usr/local/lib/node_modules");
  await mkdir(library, { recursive: true });
  await cp(npm, join(library, "npm"), { recursive: true });
  await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(tree, "usr/local/bin/npm"));
  await runCommand("chroot", [tree, "useradd", "--uid", "1000", "--create-home", "--user-group", "node"]);
}

/** The folder of this machine's npm. */
async function npmFolder(): Promise<string> {
  const npm = findCommand("npm");
  if (npm === undefined) throw new Error("npm is not installed");
  return dirname(dirname((await runCommand("realpath", [npm])).trim()));
}

/** Copies this machine's npm settings, with the image's CA bundle. Returns the path of the copy. */
async function npmSettings(folder: string): Promise<string> {
  const path = join(folder, "npmrc");
  const own = await readFile(process.env["NPM_CONFIG_USERCONFIG"] ?? join(homedir(), ".npmrc"), "utf8").catch(
    () => "",
  );
  const otherLines = own.split("\n").filter((line) => !/^\s*(cafile|prefix|nodedir|cache)\s*=/.test(line));
  await writeFile(path, `${otherLines.join("\n")}\ncafile=/etc/ssl/certs/ca-certificates.crt\n`, {
    mode: 0o600,
  });
  return path;
}

/** Every file that may be in an image: no documents, no tests, no files that git ignores. */
async function repositoryFiles(): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { stdout } = await promisify(execFile)("git", args, { cwd: root, maxBuffer: 1 << 26 });
  const names = stdout
    .split("\0")
    .filter((name) => name !== "" && !/^(docs|test|examples|charts)\/|\.test\.ts$/.test(name));
  const present = await promisify(execFile)("git", ["ls-files", "-z", "--deleted"], { cwd: root });
  const deleted = new Set(present.stdout.split("\0"));
  return [...new Set(names)].filter((name) => !deleted.has(name)).map((name) => join(root, name));
}
