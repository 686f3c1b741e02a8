/** YAML to rows on a real API server: examples, rotation, deletion, conflicts, drift, pauses, restored objects. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";
import type { OperatorPod } from "./operator-pod.ts";

let environment: OperatorEnvironment;
let operator: OperatorPod;

beforeAll(async () => {
  environment = await OperatorEnvironment.start();
  operator = await environment.leader();
  await environment.apply(
    sipCluster("exchange", environment.mysql()),
    sipDomain("example", "example.com", { realm: "test" }),
  );
  await environment.becomes("SipDomain", "example", "Reconciled");
});

afterAll(() => (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]());

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const rowOf = (name: string, columns = "ha1"): string =>
  `SELECT ${columns} FROM subscriber WHERE username = '${name}' AND domain = 'example.com'`;
const settingsOf = (name: string, columns: string): string =>
  `SELECT ${columns} FROM strowger_subscriber WHERE username = '${name}'`;

test("the examples end with rows and Ready=True", async () => {
  const examples = ["domain", "users"].map((name) =>
    readFileSync(resolve(import.meta.dirname, `../../../examples/${name}.yaml`), "utf8"),
  );
  await environment.server.apply(examples.join("\n---\n"));
  for (const kind of ["sipdomain", "sipuser"])
    await environment.server.kubectl(["wait", "--for=condition=Ready", kind, "--all", "--timeout=60s"]);
  await environment.rowsBecome(
    "SELECT username, ha1 FROM subscriber WHERE domain = 'strowger.example' ORDER BY username",
    ["alice", "bob", "carol"].map((name) => ({
      username: name,
      ha1: md5(`${name}:strowger.example:${name}-demo-password`),
    })),
  );
  const bob = await environment.find("SipUser", "bob");
  expect(bob?.status).toMatchObject({ address: "sip:bob@strowger.example", deletionPolicy: "Delete" });
  expect(bob?.status?.["observedGeneration"]).toBe(bob?.metadata.generation);
});

test("a changed password of a Secret is written to the row; without the label, the status says that it takes longer", async () => {
  await environment.apply(secret("rotating-secret", { password: "first" }), sipUser("rotating"));
  expect(await environment.becomes("SipUser", "rotating", "Reconciled")).not.toMatch(/label|resync/);
  await environment.apply(secret("rotating-secret", { password: "second" }));
  await environment.rowsBecome(rowOf("rotating"), [{ ha1: md5("rotating:test:second") }]);
  await environment.apply(secret("slow-secret", { password: "x" }, { isWatched: false }), sipUser("slow"));
  expect(await environment.becomes("SipUser", "slow", "Reconciled")).toContain("sip.strowger.dev/watch");
});

test("a user waits for its Secret and for the Secret's key", async () => {
  await environment.apply(sipUser("late"));
  await environment.becomes("SipUser", "late", "SecretNotFound");
  await environment.apply(secret("late-secret", { other: "x" }));
  await eventually("the key is missing", async () => {
    const condition = await environment.condition("SipUser", "late");
    return condition?.message.includes("has no key password") === true;
  });
  await environment.apply(secret("late-secret", { password: "there" }));
  await environment.becomes("SipUser", "late", "Reconciled");
});

test("a generated password is deleted with its user; an existing Secret is never taken over", async () => {
  await environment.apply(sipUser("made", { generatePassword: true }));
  await environment.becomes("SipUser", "made", "Reconciled");
  interface Made {
    readonly data: { readonly password: string };
  }
  const made = await environment.server.get<Made>("secret", "made-sip-password");
  const password = Buffer.from(made.data.password, "base64").toString();
  await environment.rowsBecome(rowOf("made"), [{ ha1: md5(`made:test:${password}`) }]);
  await environment.apply(
    secret("kept-sip-password", { password: "theirs" }),
    sipUser("kept", { generatePassword: true }),
  );
  await eventually("kept is not Ready", async () => {
    const condition = await environment.condition("SipUser", "kept");
    return condition?.status === "False" && condition.reason !== "GeneratingPassword";
  });
  await environment.rowsBecome(rowOf("kept"), []);
  for (const name of ["made", "kept"]) {
    await environment.remove("SipUser", name);
    await environment.vanishes("SipUser", name);
  }
  const secrets = async (): Promise<string> => environment.server.kubectl(["get", "secrets", "-o", "name"]);
  await eventually(
    "the generated Secret is deleted",
    async () => !(await secrets()).includes("made-sip-password"),
  );
  expect(await secrets()).toContain("kept-sip-password");
});

test("the finalizer keeps the object until its rows are deleted", async () => {
  await environment.apply(secret("gone-secret", { password: "x" }), sipUser("gone", { aliases: ["700"] }));
  await environment.becomes("SipUser", "gone", "Reconciled");
  expect((await environment.find("SipUser", "gone"))?.metadata.finalizers).toEqual(["sip.strowger.dev/rows"]);
  await environment.remove("SipUser", "gone");
  await environment.vanishes("SipUser", "gone");
  expect(await environment.database.query(rowOf("gone"))).toEqual([]);
  expect(await environment.database.query("SELECT * FROM dbaliases WHERE username = 'gone'")).toEqual([]);
  expect(await environment.database.query("SELECT * FROM strowger_claim WHERE owner_name = 'gone'")).toEqual(
    [],
  );
  expect(await environment.database.query("SELECT * FROM strowger_owner WHERE name = 'gone'")).toEqual([]);
});

test("deletionPolicy Retain leaves the rows, and can be changed until the deletion", async () => {
  await environment.apply(
    secret("stays-secret", { password: "x" }),
    sipUser("stays", { deletionPolicy: "Delete" }),
  );
  await environment.becomes("SipUser", "stays", "Reconciled");
  await environment.patch("SipUser", "stays", { spec: { deletionPolicy: "Retain" } });
  await environment.becomes("SipUser", "stays", "Reconciled");
  await environment.remove("SipUser", "stays");
  await environment.vanishes("SipUser", "stays");
  await environment.rowsBecome("SELECT * FROM strowger_owner WHERE name = 'stays'", []);
  expect(await environment.database.query(rowOf("stays", "username"))).toEqual([{ username: "stays" }]);
});

test("of two objects with the same name the later one has a Conflict, and gets the name when the first is deleted", async () => {
  await environment.apply(
    secret("twin-secret", { password: "one" }),
    secret("other-twin-secret", { password: "two" }),
    sipUser("twin"),
  );
  await environment.becomes("SipUser", "twin", "Reconciled");
  await environment.apply(sipUser("other-twin", { username: "twin" }));
  expect(await environment.becomes("SipUser", "other-twin", "Conflict")).toContain("SipUser twin");
  await environment.rowsBecome(rowOf("twin"), [{ ha1: md5("twin:test:one") }]);
  await environment.remove("SipUser", "other-twin");
  await environment.vanishes("SipUser", "other-twin");
  await environment.rowsBecome(rowOf("twin"), [{ ha1: md5("twin:test:one") }]);
  await environment.apply(sipUser("other-twin", { username: "twin" }));
  await environment.becomes("SipUser", "other-twin", "Conflict");
  await environment.remove("SipUser", "twin");
  await environment.becomes("SipUser", "other-twin", "Reconciled");
  await environment.rowsBecome(rowOf("twin"), [{ ha1: md5("twin:test:two") }]);
});

test("a row that another program changed is restored", async () => {
  await environment.apply(secret("drifting-secret", { password: "x" }), sipUser("drifting"));
  await environment.becomes("SipUser", "drifting", "Reconciled");
  await environment.database.query("UPDATE subscriber SET ha1 = 'broken' WHERE username = 'drifting'");
  await environment.database.query("UPDATE strowger_subscriber SET enabled = 0 WHERE username = 'drifting'");
  await environment.patch("SipUser", "drifting", { metadata: { annotations: { touched: "yes" } } });
  await environment.rowsBecome(rowOf("drifting"), [{ ha1: md5("drifting:test:x") }]);
  await environment.rowsBecome(settingsOf("drifting", "enabled"), [{ enabled: 1 }]);
  await environment.database.query("DELETE FROM subscriber WHERE username = 'drifting'");
  await environment.patch("SipUser", "drifting", { metadata: { annotations: { touched: "again" } } });
  await environment.rowsBecome(rowOf("drifting"), [{ ha1: md5("drifting:test:x") }]);
});

test("a paused user is not changed; after the pause the changes are applied", async () => {
  const paused = (value: string | null): object => ({
    metadata: { annotations: { "sip.strowger.dev/paused": value } },
  });
  await environment.apply(secret("halted-secret", { password: "x" }), sipUser("halted"));
  await environment.becomes("SipUser", "halted", "Reconciled");
  await environment.patch("SipUser", "halted", { ...paused("true"), spec: { displayName: "New" } });
  await eventually("the condition shows it", async () => {
    const condition = await environment.condition("SipUser", "halted", "default", "Paused");
    return condition?.status === "True";
  });
  await environment.apply(secret("runs-secret", { password: "x" }), sipUser("runs"));
  await environment.becomes("SipUser", "runs", "Reconciled");
  await environment.rowsBecome(settingsOf("halted", "display_name"), [{ display_name: null }]);
  await environment.patch("SipUser", "halted", paused(null));
  await environment.rowsBecome(settingsOf("halted", "display_name"), [{ display_name: "New" }]);
});

test("a pause does not block a deletion", async () => {
  await environment.apply(secret("asleep-secret", { password: "x" }), sipUser("asleep"));
  await environment.becomes("SipUser", "asleep", "Reconciled");
  await environment.patch("SipUser", "asleep", {
    metadata: { annotations: { "sip.strowger.dev/paused": "true" } },
  });
  await environment.remove("SipUser", "asleep");
  await environment.vanishes("SipUser", "asleep");
  expect(await environment.database.query(rowOf("asleep"))).toEqual([]);
});

test("a deleted SipDomain stops service at once, and its users' conditions show it; a new SipDomain serves them again", async () => {
  await environment.apply(
    sipDomain("leaving", "leaving.example"),
    secret("stranded-secret", { password: "x" }),
    sipUser("stranded", { domainRef: { name: "leaving" } }),
  );
  await environment.becomes("SipUser", "stranded", "Reconciled");
  await environment.remove("SipDomain", "leaving");
  await environment.vanishes("SipDomain", "leaving");
  expect(await environment.database.query("SELECT * FROM domain WHERE domain = 'leaving.example'")).toEqual(
    [],
  );
  await environment.becomes("SipUser", "stranded", "DomainNotFound");
  await environment.apply(sipDomain("leaving", "leaving.example"));
  await environment.becomes("SipUser", "stranded", "Reconciled");
});

test("a restored object has another uid: it gets its rows back, and no binding is lost", async () => {
  await environment.apply(secret("restored-secret", { password: "x" }), sipUser("restored"));
  await environment.becomes("SipUser", "restored", "Reconciled");
  const before = await environment.find("SipUser", "restored");
  await operator.end();
  await environment.database.query(
    "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (7, 'restored', 'example.com', 'sip:x', 4000000000)",
  );
  await environment.remove("SipUser", "restored");
  await environment.patch("SipUser", "restored", { metadata: { finalizers: null } });
  await environment.vanishes("SipUser", "restored");
  await environment.apply(sipUser("restored"));
  operator = await environment.leader();
  await environment.becomes("SipUser", "restored", "Reconciled");
  const after = await environment.find("SipUser", "restored");
  expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
  await environment.rowsBecome("SELECT uid FROM strowger_owner WHERE name = 'restored'", [
    { uid: after?.metadata.uid },
  ]);
  await environment.rowsBecome("SELECT username FROM location", [{ username: "restored" }]);
});

test("rows of objects that were deleted while no operator ran are deleted when one runs again", async () => {
  await environment.apply(secret("missed-secret", { password: "x" }), sipUser("missed"));
  await environment.becomes("SipUser", "missed", "Reconciled");
  await operator.end();
  await environment.remove("SipUser", "missed");
  operator = await environment.leader();
  await environment.vanishes("SipUser", "missed");
  expect(await environment.database.query(rowOf("missed"))).toEqual([]);
});

test("the sweep deletes the rows of objects that do not exist", async () => {
  await environment.apply(secret("swept-secret", { password: "x" }), sipUser("swept"));
  await environment.becomes("SipUser", "swept", "Reconciled");
  await operator.end();
  await environment.remove("SipUser", "swept");
  await environment.patch("SipUser", "swept", { metadata: { finalizers: null } });
  operator = await environment.leader();
  await environment.rowsBecome(rowOf("swept"), []);
});

test("an operator that restarts does not write unchanged statuses", async () => {
  const versions = async (): Promise<readonly string[]> =>
    (
      await environment.server.get<{ items: { metadata: { name: string; resourceVersion: string } }[] }>(
        "sipusers",
      )
    ).items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
  await operator.end();
  operator = await environment.leader();
  await operator.until("every user was reconciled", async () => {
    const done = await operator.total("controller_runtime_reconcile_total", { controller: "SipUser" });
    return done >= (await versions()).length;
  });
  const before = await versions();
  const changes = (): Promise<unknown> =>
    environment.database.query("SELECT name, change_seq FROM strowger_owner ORDER BY name");
  const seq = await changes();
  await operator.end();
  operator = await environment.leader();
  await operator.until("every user was reconciled again", async () => {
    const done = await operator.total("controller_runtime_reconcile_total", { controller: "SipUser" });
    return done >= before.length;
  });
  expect(await versions()).toEqual(before);
  expect(await changes()).toEqual(seq);
});
