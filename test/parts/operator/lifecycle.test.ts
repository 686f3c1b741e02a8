import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { exchange, OperatorProcess, userYaml } from "./operator-process.ts";

let mariadb: TestMariadb;
let operator: OperatorProcess;

beforeAll(async () => {
  mariadb = await startMariadb();
  operator = new OperatorProcess(mariadb.url);
  operator.write("exchange.yaml", exchange);
  await operator.start();
  await operator.becomes("SipDomain", "example", "Reconciled");
});

afterAll(async () => {
  await operator[Symbol.asyncDispose]();
  await mariadb[Symbol.asyncDispose]();
});

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

interface Subscriber {
  readonly username: string;
  readonly password: string;
  readonly ha1: string;
  readonly ha1_sha256: string;
}

const subscriber = async (name: string): Promise<Subscriber | undefined> =>
  (
    await mariadb.query<Subscriber>(
      "SELECT * FROM subscriber WHERE username = ? AND domain = 'example.com'",
      [name],
    )
  )[0];

const count = async (table: string, where: string): Promise<number> =>
  Number((await mariadb.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0]?.n);

test("a user is created with both hashes for the domain's realm, without a plain password", async () => {
  operator.write("alice.yaml", userYaml("alice", "first"));
  await operator.becomes("SipUser", "alice", "Reconciled");
  expect(await subscriber("alice")).toMatchObject({
    password: "",
    ha1: md5("alice:test:first"),
    ha1_sha256: sha256("alice:test:first"),
  });
});

test("a rotated password is in the row within 2 s after the file was saved", async () => {
  operator.write("alice.yaml", userYaml("alice", "second"));
  await operator.eventually(
    "the new hash",
    async () => (await subscriber("alice"))?.ha1 === md5("alice:test:second"),
    2_000,
  );
  const [row] = await mariadb.query<{ change_seq: number }>(
    "SELECT change_seq FROM strowger_subscriber WHERE username = 'alice'",
  );
  const [meta] = await mariadb.query<{ change_seq: number }>("SELECT change_seq FROM strowger_meta");
  expect(row?.change_seq).toBe(meta?.change_seq);
});

test("changed settings and aliases of the file are in the rows", async () => {
  operator.write(
    "alice.yaml",
    userYaml("alice", "second", '  aliases: ["100", "101"]\n  maxContacts: 3\n  displayName: Alice\n'),
  );
  await operator.eventually(
    "two aliases",
    async () => (await count("dbaliases", "username = 'alice'")) === 2,
  );
  expect(
    await mariadb.query(
      "SELECT enabled, max_contacts, display_name FROM strowger_subscriber WHERE username = 'alice'",
    ),
  ).toEqual([{ enabled: 1, max_contacts: 3, display_name: "Alice" }]);
  operator.write("alice.yaml", userYaml("alice", "second", '  aliases: ["101"]\n'));
  await operator.eventually("one alias", async () => (await count("dbaliases", "username = 'alice'")) === 1);
  expect(await count("strowger_claim", "name LIKE '10_@example.com'")).toBe(1);
});

test("a disabled user keeps its rows and loses its bindings and flows; those of other users stay", async () => {
  for (const [id, name] of [
    ["9223372036854775001", "alice"], // ids that JavaScript rounds to the same number
    ["9223372036854775003", "bob"],
  ] as const) {
    await mariadb.query(
      "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (?, ?, 'example.com', 'sip:x', 4000000000)",
      [id, name],
    );
    await mariadb.query(
      "INSERT INTO strowger_flow (contact_id, flow, owner_node) VALUES (?, 'udp:192.0.2.1:5060', 'n')",
      [id],
    );
  }
  await mariadb.query("INSERT INTO strowger_aor VALUES ('alice', 'example.com', 5)");
  operator.write("alice.yaml", userYaml("alice", "second", "  enabled: false\n"));
  await operator.eventually("no binding", async () => (await count("location", "username = 'alice'")) === 0);
  expect(await mariadb.query("SELECT CAST(contact_id AS CHAR) AS id FROM strowger_flow")).toEqual([
    { id: "9223372036854775003" },
  ]);
  expect(await count("location", "username = 'bob'")).toBe(1);
  expect(await count("strowger_subscriber", "username = 'alice' AND enabled = 0")).toBe(1);
  expect(await count("strowger_aor", "version = 6")).toBe(1);
  expect(await subscriber("alice")).toBeDefined();
});

test("of two objects with the same name the later one has a Conflict that names the first, and gets the name when the first is deleted", async () => {
  operator.write("second.yaml", userYaml("second-alice", "third", "", "alice"));
  expect(await operator.becomes("SipUser", "second-alice", "Conflict")).toContain("SipUser alice");
  expect((await subscriber("alice"))?.ha1).toBe(md5("alice:test:second"));
  operator.remove("alice.yaml");
  await operator.becomes("SipUser", "second-alice", "Reconciled");
  expect((await subscriber("alice"))?.ha1).toBe(md5("alice:test:third"));
});

test("all rows of a removed user are deleted", async () => {
  operator.write("dave.yaml", userYaml("dave", "x", '  aliases: ["200"]\n'));
  await operator.becomes("SipUser", "dave", "Reconciled");
  operator.remove("dave.yaml");
  await operator.eventually("no subscriber", async () => (await subscriber("dave")) === undefined);
  for (const table of ["strowger_subscriber", "dbaliases"])
    expect(await count(table, "username = 'dave'")).toBe(0);
  expect(await count("strowger_claim", "owner_name = 'dave'")).toBe(0);
  expect(await count("strowger_owner", "name = 'dave'")).toBe(0);
});

test("with deletionPolicy Retain the rows stay without an owner", async () => {
  operator.write("erin.yaml", userYaml("erin", "x", "  deletionPolicy: Retain\n"));
  await operator.becomes("SipUser", "erin", "Reconciled");
  operator.remove("erin.yaml");
  await operator.eventually("no owner", async () => (await count("strowger_owner", "name = 'erin'")) === 0);
  expect(await subscriber("erin")).toBeDefined();
});

test("P8: a row of another tool is a Conflict and is not changed, also when the object is deleted", async () => {
  await mariadb.query(
    "INSERT INTO subscriber (username, domain, ha1) VALUES ('foreign', 'example.com', 'theirs')",
  );
  operator.write("foreign.yaml", userYaml("foreign", "x"));
  expect(await operator.becomes("SipUser", "foreign", "Conflict")).toContain("did not make");
  operator.remove("foreign.yaml");
  await operator.eventually(
    "the object is gone",
    async () => (await operator.ready("SipUser", "foreign")).reason === "none",
  );
  expect((await subscriber("foreign"))?.ha1).toBe("theirs");
});

test("a Secret is missing, then created, then changed", async () => {
  const yaml = userYaml("frank", "x");
  operator.write("frank.yaml", yaml.slice(yaml.indexOf("---\n") + 4));
  expect(await operator.becomes("SipUser", "frank", "SecretNotFound")).toContain("Secret frank-secret");
  operator.write("frank-secret.yaml", yaml.slice(0, yaml.indexOf("---\n")));
  await operator.becomes("SipUser", "frank", "Reconciled", 2_000);
  operator.write(
    "frank-secret.yaml",
    yaml.slice(0, yaml.indexOf("---\n")).replace("password: x", "password: z"),
  );
  await operator.eventually(
    "the new hash",
    async () => (await subscriber("frank"))?.ha1 === md5("frank:test:z"),
    2_000,
  );
});

test("a generated password is in a file that only its owner can read, works, and is deleted with its user", async () => {
  const yaml = userYaml("gina", "x").replace(
    "passwordSecretRef: { name: gina-secret }",
    "generatePassword: true",
  );
  operator.write("gina.yaml", yaml.slice(yaml.indexOf("---\n") + 4));
  await operator.becomes("SipUser", "gina", "Reconciled");
  const file = join(operator.data, "generated-secrets.yaml");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const password = /password: (\S+)/.exec(readFileSync(file, "utf8"))?.[1];
  expect((await subscriber("gina"))?.ha1).toBe(md5(`gina:test:${password}`));
  operator.remove("gina.yaml");
  await operator.eventually("no password", () =>
    Promise.resolve(!readFileSync(file, "utf8").includes("gina")),
  );
  expect(operator.log).not.toContain(password);
});

test("a removed domain stops service at once; its users report it and keep their rows until they are deleted; a new domain serves them again", async () => {
  operator.write("exchange.yaml", exchange.slice(0, exchange.indexOf("---\n")));
  await operator.becomes("SipUser", "frank", "DomainNotFound");
  await operator.eventually("no domain", async () => (await count("domain", "1 = 1")) === 0);
  expect(await count("strowger_domain", "1 = 1")).toBe(0);
  expect(await subscriber("frank")).toBeDefined();
  operator.write("exchange.yaml", exchange);
  await operator.becomes("SipUser", "frank", "Reconciled");
});

test("of two SipClusters the first keeps the database", async () => {
  operator.write(
    "other.yaml",
    exchange.slice(0, exchange.indexOf("---\n")).replace("name: exchange", "name: other"),
  );
  expect(await operator.becomes("SipCluster", "other", "DatabaseTaken")).toContain("SipCluster exchange");
  operator.remove("other.yaml");
});

test("probes and metrics answer, and no credential is in the log", async () => {
  expect((await operator.get("/readyz")).status).toBe(200);
  expect(await (await operator.get("/metrics")).text()).toMatch(
    /controller_runtime_reconcile_total\{controller="SipUser",result="success"\} \d+/,
  );
  expect((await operator.get("/nothing")).status).toBe(404);
  expect(operator.log).not.toMatch(new RegExp(md5("alice:test:second")));
  expect(operator.log).not.toMatch(/"(password|ha1)":"(?!\[Redacted)/);
});
