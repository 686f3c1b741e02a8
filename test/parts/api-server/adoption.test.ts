/** Rows that another tool made: left alone, looked at, taken over as they are, or overwritten (design: ownership, rule 5). */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { House, secret, sipCluster, sipDomain, sipUser } from "./house.ts";

let house: House;

beforeAll(async () => {
  house = await House.start();
  await house.leader();
  await house.apply(
    sipCluster("exchange", house.mysql()),
    sipDomain("example", "example.com", { realm: "test" }),
  );
  await house.becomes("SipDomain", "example", "Reconciled");
});

afterAll(() => (house as House | undefined)?.[Symbol.asyncDispose]());

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const theirs = "0123456789abcdef0123456789abcdef";

/** As another tool makes them. */
async function foreign(name: string): Promise<void> {
  await house.database.query("INSERT INTO subscriber (username, domain, ha1) VALUES (?, 'example.com', ?)", [
    name,
    theirs,
  ]);
}

const rowOf = (name: string): Promise<readonly { readonly ha1: string }[]> =>
  house.database.query("SELECT ha1 FROM subscriber WHERE username = ?", [name]);
const ownersOf = (name: string): Promise<readonly unknown[]> =>
  house.database.query("SELECT name FROM strowger_owner WHERE name = ?", [name]);

test("Never: a row of another tool is a conflict, and stays when the object goes", async () => {
  await foreign("never");
  await house.apply(secret("never-secret", { password: "x" }), sipUser("never"));
  await house.becomes("SipUser", "never", "Conflict");
  await house.remove("SipUser", "never");
  await house.vanishes("SipUser", "never");
  expect(await rowOf("never")).toEqual([{ ha1: theirs }]);
});

test("Observe: says what is there, writes nothing, owns nothing", async () => {
  await foreign("observed");
  const observe = { adoptionPolicy: "Observe", passwordSecretRef: { name: "observed-secret" } };
  await house.apply(secret("observed-secret", { password: "x" }), sipUser("observed", observe));
  await house.becomes("SipUser", "observed", "Observed");
  expect(await rowOf("observed")).toEqual([{ ha1: theirs }]);
  expect(await ownersOf("observed")).toEqual([]);
  await house.remove("SipUser", "observed");
  await house.vanishes("SipUser", "observed");
  expect(await rowOf("observed")).toEqual([{ ha1: theirs }]);
});

test("Adopt without a credential: the row's own stays, the rest is ours; deletion leaves the row", async () => {
  await foreign("adopted");
  const { spec, ...user } = sipUser("adopted", { adoptionPolicy: "Adopt", displayName: "A" }) as {
    spec: { passwordSecretRef?: object };
  };
  delete spec.passwordSecretRef;
  await house.apply({ ...user, spec });
  await house.becomes("SipUser", "adopted", "Reconciled");
  expect(await rowOf("adopted")).toEqual([{ ha1: theirs }]);
  expect(await ownersOf("adopted")).toEqual([{ name: "adopted" }]);
  expect((await house.find("SipUser", "adopted"))?.status?.["deletionPolicy"]).toBe("Retain");
  await house.rowsBecome("SELECT display_name FROM strowger_subscriber WHERE username = 'adopted'", [
    { display_name: "A" },
  ]);
  await house.remove("SipUser", "adopted");
  await house.vanishes("SipUser", "adopted");
  await house.rowsBecome("SELECT name FROM strowger_owner WHERE name = 'adopted'", []);
  expect(await rowOf("adopted")).toEqual([{ ha1: theirs }]);
});

test("an adopted row goes where the spec says Delete", async () => {
  await foreign("taken");
  await house.apply(
    secret("taken-secret", { password: "x" }),
    sipUser("taken", { adoptionPolicy: "Enforce", deletionPolicy: "Delete" }),
  );
  await house.becomes("SipUser", "taken", "Reconciled");
  await house.remove("SipUser", "taken");
  await house.vanishes("SipUser", "taken");
  expect(await rowOf("taken")).toEqual([]);
});

test("Enforce: the row becomes what the spec says, and stays with the object's end", async () => {
  await foreign("enforced");
  await house.apply(
    secret("enforced-secret", { password: "x" }),
    sipUser("enforced", { adoptionPolicy: "Enforce" }),
  );
  await house.becomes("SipUser", "enforced", "Reconciled");
  expect(await rowOf("enforced")).toEqual([{ ha1: md5("enforced:test:x") }]);
  await house.remove("SipUser", "enforced");
  await house.vanishes("SipUser", "enforced");
  expect(await rowOf("enforced")).toHaveLength(1);
});

test("from Never to Adopt to Enforce: another password is a conflict until it may be overwritten", async () => {
  await foreign("wavering");
  await house.apply(secret("wavering-secret", { password: "x" }), sipUser("wavering"));
  expect(await house.becomes("SipUser", "wavering", "Conflict")).toContain("adoptionPolicy Adopt");
  await house.patch("SipUser", "wavering", { spec: { adoptionPolicy: "Adopt" } });
  expect(await house.becomes("SipUser", "wavering", "Conflict")).toContain("adoptionPolicy Enforce");
  expect(await rowOf("wavering")).toEqual([{ ha1: theirs }]);
  await house.patch("SipUser", "wavering", { spec: { adoptionPolicy: "Enforce" } });
  await house.becomes("SipUser", "wavering", "Reconciled");
  expect(await rowOf("wavering")).toEqual([{ ha1: md5("wavering:test:x") }]);
});

test("no adoption takes what another object owns", async () => {
  await house.apply(
    secret("first-secret", { password: "one" }),
    secret("thief-secret", { password: "two" }),
    sipUser("first"),
  );
  await house.becomes("SipUser", "first", "Reconciled");
  await house.apply(sipUser("thief", { username: "first", adoptionPolicy: "Enforce" }));
  await house.becomes("SipUser", "thief", "Conflict");
  expect(await rowOf("first")).toEqual([{ ha1: md5("first:test:one") }]);
});

test("a domain of another tool: a conflict, and with Adopt ours, which its end leaves", async () => {
  await house.database.query("INSERT INTO domain (domain) VALUES ('old.example')");
  await house.apply(sipDomain("old", "old.example"));
  await house.becomes("SipDomain", "old", "Conflict");
  await house.patch("SipDomain", "old", { spec: { adoptionPolicy: "Adopt" } });
  await house.becomes("SipDomain", "old", "Reconciled");
  await house.remove("SipDomain", "old");
  await house.vanishes("SipDomain", "old");
  await house.rowsBecome("SELECT domain FROM domain WHERE domain = 'old.example'", [
    { domain: "old.example" },
  ]);
});
