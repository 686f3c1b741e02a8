/** YAML to rows on a real API server: examples, rotation, deletion, conflicts, drift, pauses, restored objects. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { House, secret, sipCluster, sipDomain, sipUser } from "./house.ts";
import type { OperatorPod } from "./operator-pod.ts";

let house: House;
let operator: OperatorPod;

beforeAll(async () => {
  house = await House.start();
  operator = await house.leader();
  await house.apply(
    sipCluster("exchange", house.mysql()),
    sipDomain("example", "example.com", { realm: "test" }),
  );
  await house.becomes("SipDomain", "example", "Reconciled");
});

afterAll(() => (house as House | undefined)?.[Symbol.asyncDispose]());

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const rowOf = (name: string, columns = "ha1"): string =>
  `SELECT ${columns} FROM subscriber WHERE username = '${name}' AND domain = 'example.com'`;
const settingsOf = (name: string, columns: string): string =>
  `SELECT ${columns} FROM strowger_subscriber WHERE username = '${name}'`;

test("the examples end with rows and Ready=True", async () => {
  const examples = ["domain", "users"].map((name) =>
    readFileSync(resolve(import.meta.dirname, `../../../examples/${name}.yaml`), "utf8"),
  );
  await house.server.apply(examples.join("\n---\n"));
  for (const kind of ["sipdomain", "sipuser"])
    await house.server.kubectl(["wait", "--for=condition=Ready", kind, "--all", "--timeout=60s"]);
  await house.rowsBecome(
    "SELECT username, ha1 FROM subscriber WHERE domain = 'strowger.example' ORDER BY username",
    ["alice", "bob", "carol"].map((name) => ({
      username: name,
      ha1: md5(`${name}:strowger.example:${name}-demo-password`),
    })),
  );
  const bob = await house.find("SipUser", "bob");
  expect(bob?.status).toMatchObject({ address: "sip:bob@strowger.example", deletionPolicy: "Delete" });
  expect(bob?.status?.["observedGeneration"]).toBe(bob?.metadata.generation);
});

test("a password that its Secret says anew is in the row; without the label, the status says that it takes longer", async () => {
  await house.apply(secret("rotating-secret", { password: "first" }), sipUser("rotating"));
  expect(await house.becomes("SipUser", "rotating", "Reconciled")).not.toMatch(/label|resync/);
  await house.apply(secret("rotating-secret", { password: "second" }));
  await house.rowsBecome(rowOf("rotating"), [{ ha1: md5("rotating:test:second") }]);
  await house.apply(secret("slow-secret", { password: "x" }, { isWatched: false }), sipUser("slow"));
  expect(await house.becomes("SipUser", "slow", "Reconciled")).toContain("sip.strowger.dev/watch");
});

test("a user waits for its Secret, and for the key in it", async () => {
  await house.apply(sipUser("late"));
  await house.becomes("SipUser", "late", "SecretNotFound");
  await house.apply(secret("late-secret", { other: "x" }));
  await eventually("it misses the key", async () => {
    const condition = await house.condition("SipUser", "late");
    return condition?.message.includes("has no key password") === true;
  });
  await house.apply(secret("late-secret", { password: "there" }));
  await house.becomes("SipUser", "late", "Reconciled");
});

test("a password is made once and goes with its user; a Secret that was there is nobody's to take", async () => {
  await house.apply(sipUser("made", { generatePassword: true }));
  await house.becomes("SipUser", "made", "Reconciled");
  interface Made {
    readonly data: { readonly password: string };
  }
  const made = await house.server.get<Made>("secret", "made-sip-password");
  const password = Buffer.from(made.data.password, "base64").toString();
  await house.rowsBecome(rowOf("made"), [{ ha1: md5(`made:test:${password}`) }]);
  await house.apply(
    secret("kept-sip-password", { password: "theirs" }),
    sipUser("kept", { generatePassword: true }),
  );
  await eventually("kept is not ready", async () => {
    const condition = await house.condition("SipUser", "kept");
    return condition?.status === "False" && condition.reason !== "GeneratingPassword";
  });
  await house.rowsBecome(rowOf("kept"), []);
  for (const name of ["made", "kept"]) {
    await house.remove("SipUser", name);
    await house.vanishes("SipUser", name);
  }
  const secrets = async (): Promise<string> => house.server.kubectl(["get", "secrets", "-o", "name"]);
  await eventually("the made one is gone", async () => !(await secrets()).includes("made-sip-password"));
  expect(await secrets()).toContain("kept-sip-password");
});

test("a finalizer holds the object until its rows are gone", async () => {
  await house.apply(secret("gone-secret", { password: "x" }), sipUser("gone", { aliases: ["700"] }));
  await house.becomes("SipUser", "gone", "Reconciled");
  expect((await house.find("SipUser", "gone"))?.metadata.finalizers).toEqual(["sip.strowger.dev/rows"]);
  await house.remove("SipUser", "gone");
  await house.vanishes("SipUser", "gone");
  expect(await house.database.query(rowOf("gone"))).toEqual([]);
  expect(await house.database.query("SELECT * FROM dbaliases WHERE username = 'gone'")).toEqual([]);
  expect(await house.database.query("SELECT * FROM strowger_claim WHERE owner_name = 'gone'")).toEqual([]);
  expect(await house.database.query("SELECT * FROM strowger_owner WHERE name = 'gone'")).toEqual([]);
});

test("deletionPolicy Retain leaves the rows, and its change counts until the end", async () => {
  await house.apply(
    secret("stays-secret", { password: "x" }),
    sipUser("stays", { deletionPolicy: "Delete" }),
  );
  await house.becomes("SipUser", "stays", "Reconciled");
  await house.patch("SipUser", "stays", { spec: { deletionPolicy: "Retain" } });
  await house.becomes("SipUser", "stays", "Reconciled");
  await house.remove("SipUser", "stays");
  await house.vanishes("SipUser", "stays");
  await house.rowsBecome("SELECT * FROM strowger_owner WHERE name = 'stays'", []);
  expect(await house.database.query(rowOf("stays", "username"))).toEqual([{ username: "stays" }]);
});

test("of two objects with one name the later gets Conflict, and the name when the first is gone", async () => {
  await house.apply(
    secret("twin-secret", { password: "one" }),
    secret("other-twin-secret", { password: "two" }),
    sipUser("twin"),
  );
  await house.becomes("SipUser", "twin", "Reconciled");
  await house.apply(sipUser("other-twin", { username: "twin" }));
  expect(await house.becomes("SipUser", "other-twin", "Conflict")).toContain("SipUser twin");
  await house.rowsBecome(rowOf("twin"), [{ ha1: md5("twin:test:one") }]);
  await house.remove("SipUser", "other-twin");
  await house.vanishes("SipUser", "other-twin");
  await house.rowsBecome(rowOf("twin"), [{ ha1: md5("twin:test:one") }]);
  await house.apply(sipUser("other-twin", { username: "twin" }));
  await house.becomes("SipUser", "other-twin", "Conflict");
  await house.remove("SipUser", "twin");
  await house.becomes("SipUser", "other-twin", "Reconciled");
  await house.rowsBecome(rowOf("twin"), [{ ha1: md5("twin:test:two") }]);
});

test("what somebody else did to a row is put right", async () => {
  await house.apply(secret("drifting-secret", { password: "x" }), sipUser("drifting"));
  await house.becomes("SipUser", "drifting", "Reconciled");
  await house.database.query("UPDATE subscriber SET ha1 = 'broken' WHERE username = 'drifting'");
  await house.database.query("UPDATE strowger_subscriber SET enabled = 0 WHERE username = 'drifting'");
  await house.patch("SipUser", "drifting", { metadata: { annotations: { touched: "yes" } } });
  await house.rowsBecome(rowOf("drifting"), [{ ha1: md5("drifting:test:x") }]);
  await house.rowsBecome(settingsOf("drifting", "enabled"), [{ enabled: 1 }]);
  await house.database.query("DELETE FROM subscriber WHERE username = 'drifting'");
  await house.patch("SipUser", "drifting", { metadata: { annotations: { touched: "again" } } });
  await house.rowsBecome(rowOf("drifting"), [{ ha1: md5("drifting:test:x") }]);
});

test("a paused user is left as it is, and caught up with afterwards", async () => {
  const paused = (value: string | null): object => ({
    metadata: { annotations: { "sip.strowger.dev/paused": value } },
  });
  await house.apply(secret("halted-secret", { password: "x" }), sipUser("halted"));
  await house.becomes("SipUser", "halted", "Reconciled");
  await house.patch("SipUser", "halted", { ...paused("true"), spec: { displayName: "New" } });
  await eventually("it says so", async () => {
    const condition = await house.condition("SipUser", "halted", "default", "Paused");
    return condition?.status === "True";
  });
  await house.apply(secret("runs-secret", { password: "x" }), sipUser("runs"));
  await house.becomes("SipUser", "runs", "Reconciled");
  await house.rowsBecome(settingsOf("halted", "display_name"), [{ display_name: null }]);
  await house.patch("SipUser", "halted", paused(null));
  await house.rowsBecome(settingsOf("halted", "display_name"), [{ display_name: "New" }]);
});

test("a pause holds no deletion up", async () => {
  await house.apply(secret("asleep-secret", { password: "x" }), sipUser("asleep"));
  await house.becomes("SipUser", "asleep", "Reconciled");
  await house.patch("SipUser", "asleep", {
    metadata: { annotations: { "sip.strowger.dev/paused": "true" } },
  });
  await house.remove("SipUser", "asleep");
  await house.vanishes("SipUser", "asleep");
  expect(await house.database.query(rowOf("asleep"))).toEqual([]);
});

test("a SipDomain that goes stops service at once, and its users say so; the same domain again serves them again", async () => {
  await house.apply(
    sipDomain("leaving", "leaving.example"),
    secret("stranded-secret", { password: "x" }),
    sipUser("stranded", { domainRef: { name: "leaving" } }),
  );
  await house.becomes("SipUser", "stranded", "Reconciled");
  await house.remove("SipDomain", "leaving");
  await house.vanishes("SipDomain", "leaving");
  expect(await house.database.query("SELECT * FROM domain WHERE domain = 'leaving.example'")).toEqual([]);
  await house.becomes("SipUser", "stranded", "DomainNotFound");
  await house.apply(sipDomain("leaving", "leaving.example"));
  await house.becomes("SipUser", "stranded", "Reconciled");
});

test("a restored object has another uid: it gets its rows back, and nobody who registered is lost", async () => {
  await house.apply(secret("restored-secret", { password: "x" }), sipUser("restored"));
  await house.becomes("SipUser", "restored", "Reconciled");
  const before = await house.find("SipUser", "restored");
  await operator.end();
  await house.database.query(
    "INSERT INTO location (contact_id, username, domain, contact, expires) VALUES (7, 'restored', 'example.com', 'sip:x', 4000000000)",
  );
  await house.remove("SipUser", "restored");
  await house.patch("SipUser", "restored", { metadata: { finalizers: null } });
  await house.vanishes("SipUser", "restored");
  await house.apply(sipUser("restored"));
  operator = await house.leader();
  await house.becomes("SipUser", "restored", "Reconciled");
  const after = await house.find("SipUser", "restored");
  expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
  await house.rowsBecome("SELECT uid FROM strowger_owner WHERE name = 'restored'", [
    { uid: after?.metadata.uid },
  ]);
  await house.rowsBecome("SELECT username FROM location", [{ username: "restored" }]);
});

test("what was deleted while no operator ran is gone when one runs again", async () => {
  await house.apply(secret("missed-secret", { password: "x" }), sipUser("missed"));
  await house.becomes("SipUser", "missed", "Reconciled");
  await operator.end();
  await house.remove("SipUser", "missed");
  operator = await house.leader();
  await house.vanishes("SipUser", "missed");
  expect(await house.database.query(rowOf("missed"))).toEqual([]);
});

test("rows whose object is gone for good are swept", async () => {
  await house.apply(secret("swept-secret", { password: "x" }), sipUser("swept"));
  await house.becomes("SipUser", "swept", "Reconciled");
  await operator.end();
  await house.remove("SipUser", "swept");
  await house.patch("SipUser", "swept", { metadata: { finalizers: null } });
  operator = await house.leader();
  await house.rowsBecome(rowOf("swept"), []);
});

test("nothing that was written is written again: an operator that starts anew changes no status", async () => {
  const versions = async (): Promise<readonly string[]> =>
    (
      await house.server.get<{ items: { metadata: { name: string; resourceVersion: string } }[] }>("sipusers")
    ).items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
  await operator.end();
  operator = await house.leader();
  await operator.until("every user was reconciled", async () => {
    const done = await operator.total("controller_runtime_reconcile_total", { controller: "SipUser" });
    return done >= (await versions()).length;
  });
  const before = await versions();
  const changes = (): Promise<unknown> =>
    house.database.query("SELECT name, change_seq FROM strowger_owner ORDER BY name");
  const seq = await changes();
  await operator.end();
  operator = await house.leader();
  await operator.until("every user was reconciled again", async () => {
    const done = await operator.total("controller_runtime_reconcile_total", { controller: "SipUser" });
    return done >= before.length;
  });
  expect(await versions()).toEqual(before);
  expect(await changes()).toEqual(seq);
});
