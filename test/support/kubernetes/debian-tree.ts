/** A small Debian for an image, by debootstrap from the mirror that this machine's apt uses. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

/** What apt reads of a release: where it is and what it is called. */
interface Mirror {
  readonly url: string;
  readonly codename: string;
}

/** Makes the tree with these packages in `folder` and packs it into `tree.tar` beside it. Returns the path of the archive. */
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
    // Registries behind a certificate of this machine's own are reached from the image as from here.
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
    throw new Error("apt knows no Debian release: run apt-get update");
  return { url: main[0], codename: main[1] };
}
