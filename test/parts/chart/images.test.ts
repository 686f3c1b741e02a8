/** The two images of the Dockerfile: their size without the base image, their user, and the start of their programs with a read-only root. */
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startChild } from "../../support/child.ts";
import { baseImage, clusterImages } from "../../support/kubernetes/images.ts";
import { runCommand } from "../../support/kubernetes/run-command.ts";
import { describeWith } from "../../support/needs.ts";

const MB = 1_000_000;

interface Image {
  readonly layers: readonly string[];
  readonly config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly WorkingDir: string;
    readonly Env: readonly string[];
  };
}

describeWith(["buildah", "debootstrap", "go"], "the images", () => {
  let folder: string;
  const images = new Map<string, Image>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "strowger-images-"));
    const [, , sipNode = "", operator = ""] = await clusterImages();
    for (const [name, archive] of Object.entries({ base: await baseImage(), "sip-node": sipNode, operator }))
      images.set(name, await unpack(archive, join(folder, name)));
    for (const name of ["sip-node", "operator"]) {
      await mkdir(join(folder, name, "root"));
      for (const layer of image(name).layers)
        await runCommand("tar", ["-C", join(folder, name, "root"), "-xpf", layer]);
    }
  }, 900_000);
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  const image = (name: string): Image => {
    const found = images.get(name);
    if (found === undefined) throw new Error(`no image ${name}`);
    return found;
  };

  /** Runs a command in the image as its user, with a read-only root. */
  const run = async (name: string, command: readonly string[]) => {
    const { config } = image(name);
    const root = join(folder, name, "root");
    const script =
      'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && root=$1 user=$2 folder=$3 && shift 3 && ' +
      `exec chroot --userspec="$user" "$root" sh -c 'cd "$0" && ! touch x 2>&1 && exec "$@"' "$folder" "$@"`;
    const place = [root, config.User, config.WorkingDir];
    await using child = startChild("unshare", ["--mount", "sh", "-c", script, "sh", ...place, ...command]);
    return { status: await child.exited, output: child.output() };
  };

  test.each([
    ["sip-node", 25],
    ["operator", 100],
  ])("%s: at most %d MB on top of the base, user 1000", async (name, most) => {
    const { layers, config } = image(name);
    const own = layers.slice(image("base").layers.length);
    const sizes = await Promise.all(own.map(async (layer) => (await stat(layer)).size));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`${name}: ${(total / MB).toFixed(1)} MB on top of the base`);
    expect(total).toBeLessThan(most * MB);
    expect(config.User).toBe("1000:1000");
    expect(config.Env).toContain("NODE_ENV=production");
  });

  test("sip-node starts and reports the missing configuration", async () => {
    const { status, output } = await run("sip-node", image("sip-node").config.Entrypoint);
    expect(output).toContain("Read-only file system");
    expect(output).toContain("STROWGER_CONFIG is not set");
    expect(status).toBe(78);
  });

  test("sip-node has the UDP addon, and its Node loads it", async () => {
    const program =
      'import("/app/sip-node/src/adapters/udp/udp-addon.ts").then(({ loadUdpAddon }) => console.log(typeof loadUdpAddon()?.open))';
    const { status, output } = await run("sip-node", ["node", "-e", program]);
    expect(output).toContain("function");
    expect(status).toBe(0);
  });

  test("operator starts and reports the missing environment variables", async () => {
    const { status, output } = await run("operator", image("operator").config.Entrypoint);
    expect(output).toContain("STROWGER_FILES is not set");
    expect(status).toBe(2);
  });

  test.each(["selftest", "uninstall", "db"])(
    "the operator's image has the command strowger %s",
    async (command) => {
      const { status, output } = await run("operator", ["node", "cli/src/main.ts", command, "--help"]);
      expect(output).toContain(`Usage: strowger ${command}`);
      expect(status).toBe(0);
      expect((await run("operator", ["strowger", command, "--help"])).output).toBe(output);
    },
  );

  test("the images have no tests, no type declarations and no source maps", async () => {
    for (const name of ["sip-node", "operator"]) {
      const own = image(name).layers.slice(image("base").layers.length);
      const listed = await Promise.all(own.map((layer) => runCommand("tar", ["-tf", layer])));
      const unwanted = listed.join("\n").match(/^.*(\.test\.ts|\.d\.ts|\.map)$/gm) ?? [];
      expect(unwanted).toEqual([]);
    }
  });
});

/** Extracts the archive's layers into `folder`. They are plain tar files; the layers of the base image come first. */
async function unpack(archive: string, folder: string): Promise<Image> {
  await mkdir(folder);
  await runCommand("tar", ["-C", folder, "-xf", archive]);
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, name), "utf8"));
  const [manifest] = (await read("manifest.json")) as [{ Config: string; Layers: string[] }];
  const { config } = (await read(manifest.Config)) as { config: Image["config"] };
  return { layers: manifest.Layers.map((layer) => join(folder, layer)), config };
}
