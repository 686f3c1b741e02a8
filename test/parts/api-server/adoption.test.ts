/** Rows of another tool: refused, observed, adopted or overwritten (design-kubernetes rule 5). */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";

let environment: OperatorEnvironment;

beforeAll(async () => {
  environment = await OperatorEnvironment.start();
  await environment.leader();
  await environment.apply(
    sipCluster("exchange", environment.mysql()),
    sipDomain("example", "example.com", { realm: "test" }),
  );
  await environment.becomes("SipDomain", "example", "Reconciled");
});

afterAll(() => (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]());

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const theirs = "0123456789abcdef0123456789abcdef";

/** Writes a subscriber row as another tool does. */
async function insertForeignUser(name: string): Promise<void> {
  await environment.database.query(
    "INSERT INTO subscriber (username, domain, ha1) VALUES (?, 'example.com', ?)",
    [name, theirs],
  );
}

const rowOf = (name: string): Promise<readonly { readonly ha1: string }[]> =>
  environment.database.query("SELECT ha1 FROM subscriber WHERE username = ?", [name]);
const ownersOf = (name: string): Promise<readonly unknown[]> =>
  environment.database.query("SELECT name FROM strowger_owner WHERE name = ?", [name]);

test("Never: a row of another tool is a Conflict, and stays when the object is deleted", async () => {
  await insertForeignUser("never");
  await environment.apply(secret("never-secret", { password: "x" }), sipUser("never"));
  await environment.becomes("SipUser", "never", "Conflict");
  await environment.remove("SipUser", "never");
  await environment.vanishes("SipUser", "never");
  expect(await rowOf("never")).toEqual([{ ha1: theirs }]);
});

test("Observe: reports the row, writes nothing, owns nothing", async () => {
  await insertForeignUser("observed");
  const observe = { adoptionPolicy: "Observe", passwordSecretRef: { name: "observed-secret" } };
  await environment.apply(secret("observed-secret", { password: "x" }), sipUser("observed", observe));
  await environment.becomes("SipUser", "observed", "Observed");
  expect(await rowOf("observed")).toEqual([{ ha1: theirs }]);
  expect(await ownersOf("observed")).toEqual([]);
  await environment.remove("SipUser", "observed");
  await environment.vanishes("SipUser", "observed");
  expect(await rowOf("observed")).toEqual([{ ha1: theirs }]);
});

test("Adopt without a credential: the row's credential stays, other columns are written; deletion leaves the row", async () => {
  await insertForeignUser("adopted");
  const { spec, ...user } = sipUser("adopted", { adoptionPolicy: "Adopt", displayName: "A" }) as {
    spec: { passwordSecretRef?: object };
  };
  delete spec.passwordSecretRef;
  await environment.apply({ ...user, spec });
  await environment.becomes("SipUser", "adopted", "Reconciled");
  expect(await rowOf("adopted")).toEqual([{ ha1: theirs }]);
  expect(await ownersOf("adopted")).toEqual([{ name: "adopted" }]);
  expect((await environment.find("SipUser", "adopted"))?.status?.["deletionPolicy"]).toBe("Retain");
  await environment.rowsBecome("SELECT display_name FROM strowger_subscriber WHERE username = 'adopted'", [
    { display_name: "A" },
  ]);
  await environment.remove("SipUser", "adopted");
  await environment.vanishes("SipUser", "adopted");
  await environment.rowsBecome("SELECT name FROM strowger_owner WHERE name = 'adopted'", []);
  expect(await rowOf("adopted")).toEqual([{ ha1: theirs }]);
});

test("an adopted row is deleted with deletionPolicy Delete", async () => {
  await insertForeignUser("taken");
  await environment.apply(
    secret("taken-secret", { password: "x" }),
    sipUser("taken", { adoptionPolicy: "Enforce", deletionPolicy: "Delete" }),
  );
  await environment.becomes("SipUser", "taken", "Reconciled");
  await environment.remove("SipUser", "taken");
  await environment.vanishes("SipUser", "taken");
  expect(await rowOf("taken")).toEqual([]);
});

test("Enforce: the row is overwritten by the spec, and stays when the object is deleted", async () => {
  await insertForeignUser("enforced");
  await environment.apply(
    secret("enforced-secret", { password: "x" }),
    sipUser("enforced", { adoptionPolicy: "Enforce" }),
  );
  await environment.becomes("SipUser", "enforced", "Reconciled");
  expect(await rowOf("enforced")).toEqual([{ ha1: md5("enforced:test:x") }]);
  await environment.remove("SipUser", "enforced");
  await environment.vanishes("SipUser", "enforced");
  expect(await rowOf("enforced")).toHaveLength(1);
});

test("from Never to Adopt to Enforce: another password is a Conflict until Enforce overwrites it", async () => {
  await insertForeignUser("wavering");
  await environment.apply(secret("wavering-secret", { password: "x" }), sipUser("wavering"));
  expect(await environment.becomes("SipUser", "wavering", "Conflict")).toContain("adoptionPolicy Adopt");
  await environment.patch("SipUser", "wavering", { spec: { adoptionPolicy: "Adopt" } });
  expect(await environment.becomes("SipUser", "wavering", "Conflict")).toContain("adoptionPolicy Enforce");
  expect(await rowOf("wavering")).toEqual([{ ha1: theirs }]);
  await environment.patch("SipUser", "wavering", { spec: { adoptionPolicy: "Enforce" } });
  await environment.becomes("SipUser", "wavering", "Reconciled");
  expect(await rowOf("wavering")).toEqual([{ ha1: md5("wavering:test:x") }]);
});

test("no adoptionPolicy takes a row that another object owns", async () => {
  await environment.apply(
    secret("first-secret", { password: "one" }),
    secret("second-secret", { password: "two" }),
    sipUser("first"),
  );
  await environment.becomes("SipUser", "first", "Reconciled");
  await environment.apply(sipUser("second", { username: "first", adoptionPolicy: "Enforce" }));
  await environment.becomes("SipUser", "second", "Conflict");
  expect(await rowOf("first")).toEqual([{ ha1: md5("first:test:one") }]);
});

test("a domain of another tool: a Conflict; with Adopt it is served, and its row stays when the object is deleted", async () => {
  await environment.database.query("INSERT INTO domain (domain) VALUES ('old.example')");
  await environment.apply(sipDomain("old", "old.example"));
  await environment.becomes("SipDomain", "old", "Conflict");
  await environment.patch("SipDomain", "old", { spec: { adoptionPolicy: "Adopt" } });
  await environment.becomes("SipDomain", "old", "Reconciled");
  await environment.remove("SipDomain", "old");
  await environment.vanishes("SipDomain", "old");
  await environment.rowsBecome("SELECT domain FROM domain WHERE domain = 'old.example'", [
    { domain: "old.example" },
  ]);
});
