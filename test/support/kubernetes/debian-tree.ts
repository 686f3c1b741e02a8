/** Makes a small Debian root file system for an image, with debootstrap and this machine's apt mirror. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

/** A Debian release in apt's configuration. */
interface Mirror {
  readonly url: string;
  readonly codename: string;
}

/** Installs the packages into `folder/tree` and packs it as `folder/tree.tar`. Returns the path of the archive. */
export async function debianTree(
  folder: string,
  packages: readonly string[],
  add: (tree: string) => Promise<void> = async () => undefined,
): Promise<string> {
  const { url, codename } = await mirror();
  const tree = join(folder, "tree");
  const archive = join(folder, "tree.tar");
  const include = packages.length === 0 ? [] : [`--include=${packages.join(",")}`];
  try {
    await runCommand("debootstrap", ["--variant=minbase", ...include, codename, tree, url], {
      timeoutMs: 600_000,
    });
    for (const path of [
      "usr/share/doc",
      "usr/share/man",
      "usr/share/locale",
      "var/lib/apt/lists",
      "var/cache/apt",
    ])
      await rm(join(tree, path), { recursive: true, force: true });
    // The image gets this machine's CA certificates, so that it can reach registries with a private CA.
    const bundle = await readFile("/etc/ssl/certs/ca-certificates.crt").catch(() => undefined);
    await runCommand("mkdir", ["-p", join(tree, "etc/ssl/certs")]);
    if (bundle) await writeFile(join(tree, "etc/ssl/certs/ca-certificates.crt"), bundle);
    await add(tree);
    await runCommand("tar", ["--numeric-owner", "--one-file-system", "-C", tree, "-cf", archive, "."]);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
  return archive;
}

async function mirror(): Promise<Mirror> {
  const format = "$(REPO_URI) $(CODENAME)";
  const targets = await runCommand("apt-get", ["indextargets", "--format", format, "Identifier: Packages"]);
  const lines = targets.split("\n").map((line) => line.trim().split(" "));
  const main = lines.find(([, codename = ""]) => /^[a-z]+$/.test(codename));
  if (main?.[0] === undefined || main[1] === undefined)
    throw new Error("apt has no Debian release: run apt-get update");
  return { url: main[0], codename: main[1] };
}
