/** The MariaDB of examples/kubernetes/: its scripts, run as in its pod, without privileges and in the test's folders. */
import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { freeTcpPort } from "../../../cli/src/up/free-port.ts";
import { startChild, type TestChild } from "../../support/child.ts";
import { describeWith } from "../../support/needs.ts";

const file = resolve(import.meta.dirname, "../../../examples/kubernetes/database.yaml");
const isRoot = userInfo().uid === 0;
/** The pod's user and group: 999. */
const asUser = isRoot ? ["setpriv", "--reuid", "999", "--regid", "999", "--clear-groups"] : [];

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

interface StatefulSet {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly [{ readonly args: readonly string[] }] };
    };
  }; // prettier-ignore
}

describeWith(["mariadb"], "the example's MariaDB", () => {
  let folder: string;
  let server: TestChild;
  let port: number;
  /** Characters that need escaping in `sed` or SQL. */
  const logins = { admin: ["admin&", 'it\'s a \\ | & "pass" /word'], node: ["node", "$(id)`';--"] } as const;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "strowger-example-"));
    await chmod(folder, 0o755);
    port = await freeTcpPort("127.0.0.1", 0);
    for (const name of ["grants", "filled", "data", "tmp"]) {
      await mkdir(join(folder, name));
      if (isRoot) await chown(join(folder, name), 999, 999);
    }
    const documents = parseAllDocuments(await readFile(file, "utf8")).map(
      (one) => one.toJS() as { kind: string },
    );
    const scripts = documents.find(({ kind }) => kind === "ConfigMap") as unknown as ConfigMap;
    for (const [name, text] of Object.entries(scripts.data))
      await writeFile(join(folder, "grants", name), moved(text));
    start(documents.find(({ kind }) => kind === "StatefulSet") as unknown as StatefulSet);
    await untilUp();
  });
  afterAll(async () => {
    await server?.end("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  const moved = (text: string): string =>
    text
      .replaceAll("/etc/grants", join(folder, "grants"))
      .replaceAll("/run/grants", join(folder, "filled"))
      .replaceAll("/var/lib/mysql", join(folder, "data"))
      .replaceAll("/tmp/mariadb.", `${join(folder, "tmp")}/mariadb.`);

  const start = (set: StatefulSet): void => {
    const env = {
      ...process.env,
      ...{ ADMIN_USERNAME: logins.admin[0], ADMIN_PASSWORD: logins.admin[1] },
      ...{ NODE_USERNAME: logins.node[0], NODE_PASSWORD: logins.node[1] },
    };
    const [command = "sh", ...args] = [...asUser, "sh", join(folder, "grants/prepare.sh")];
    execFileSync(command, args, { env, stdio: "pipe" });
    const own = set.spec.template.spec.containers[0].args.map(moved);
    const [first = "mariadbd", ...rest] = [...asUser, "mariadbd", ...own, `--port=${port}`];
    server = startChild(first, rest);
  };

  const open = async ([user, password]: readonly [string, string], database = "opensips") =>
    await createConnection({ host: "127.0.0.1", port, user, password, database });

  const untilUp = async () => {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
      const connection = await open(logins.admin).catch(() => undefined);
      if (connection !== undefined) return await connection.end();
      if (server.process.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`MariaDB did not get ready:\n${server.output().slice(-3000)}`);
  };

  test("the operator's login can create tables; the nodes' login can read and write rows, but not create tables", async () => {
    const admin = await open(logins.admin);
    await admin.query("CREATE TABLE t (id INT PRIMARY KEY)");
    const node = await open(logins.node);
    await node.query("INSERT INTO t VALUES (1)");
    expect((await node.query("SELECT id FROM t"))[0]).toEqual([{ id: 1 }]);
    await expect(node.query("CREATE TABLE u (id INT PRIMARY KEY)")).rejects.toThrow(/CREATE command denied/);
    await expect(node.query("DROP TABLE t")).rejects.toThrow(/DROP command denied/);
    await Promise.all([admin.end(), node.end()]);
  });

  test("other logins are refused: without a password, as root, or for another database", async () => {
    await expect(open(["root", ""])).rejects.toThrow(/Access denied/);
    await expect(open([logins.node[0], ""])).rejects.toThrow(/Access denied/);
    await expect(open(logins.node, "mysql")).rejects.toThrow(/Access denied/);
  });
});
