/** Tables with another charset or length than Strowger's: a value that they cannot store is refused, without an effect on others. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { LocationTables } from "../../../sip-node/src/adapters/mysql/location-tables.ts";
import { Location } from "../../../sip-node/src/location/location.ts";
import { route } from "../../../sip-node/src/proxy/proxy.ts";
import { register } from "../../../sip-node/src/registrar/register.ts";
import { flowOf } from "../../../sip-node/src/wire/flow.ts";
import { toWireText } from "../../../sip-node/src/wire/wire-text.ts";
import { type ServiceDependencies, TestServices, withCredentials } from "../../support/test-services.ts";
import { databaseOf, startMigrated } from "../../support/location-database.ts";
import { locationDependencies } from "../../support/location-dependencies.ts";
import type { TestMariadb } from "../../support/mariadb.ts";
import { describeWith } from "../../support/needs.ts";
import { type Fields, requestOf } from "../../support/sip-message.ts";

const phone = flowOf("192.0.2.1", 5060);
const uri = "sip:example.com";
const of = (username: string) => ({ username, domain: "example.com" });

describeWith(["mariadb"], "OpenSIPS's tables of another charset", () => {
  let server: TestMariadb;
  let database: ReturnType<typeof databaseOf>;
  let dependencies: ServiceDependencies;
  let services: TestServices;
  beforeAll(async () => {
    server = await startMigrated({ args: ["--sql-mode="] }); // without strict mode, as in old configurations
    await server.query("INSERT INTO domain (domain) VALUES ('example.com')");
    await server.query("ALTER TABLE location MODIFY contact CHAR(255) NOT NULL"); // as in OpenSIPS up to 3.0
    database = databaseOf(server);
  });
  beforeEach(async () => {
    for (const table of ["subscriber", "dbaliases", "location", "strowger_aor", "strowger_flow"])
      await server.query(`DELETE FROM ${table}`);
    for (const name of ["bob", "alice"])
      await server.query("INSERT INTO subscriber (username, domain, password) VALUES (?, 'example.com', ?)", [
        name,
        name,
      ]);
    await server.query(
      "INSERT INTO dbaliases (alias_username, alias_domain, username, domain) VALUES ('100', 'example.com', 'bob', 'example.com')",
    );
    const tables = new LocationTables(database, () => "203.0.113.1:5060");
    services = new TestServices();
    dependencies = {
      ...services.dependencies(),
      lookup: new Location(tables, locationDependencies({ defer: setImmediate })),
    };
  });
  afterAll(async () => {
    await database.close();
    await server[Symbol.asyncDispose]();
  });
  const convert = async (charset: string): Promise<void> => {
    for (const table of ["domain", "subscriber", "dbaliases", "location"])
      await server.query(`ALTER TABLE ${table} CONVERT TO CHARACTER SET ${charset}`);
  };

  const registration = (user: string, fields: Fields = {}): Fields => ({
    From: `<sip:${user}@example.com>;tag=1`,
    To: `<sip:${user}@example.com>`,
    "Call-ID": `reg-${user}`,
    Contact: `<sip:${user}@192.0.2.1:5060>`,
    ...fields,
  });
  const registered = async (user: string, more: Fields = {}) => {
    const fields = registration(user, more);
    services.now += 1; // for another nonce
    const refusal = await register(requestOf("REGISTER", uri, fields), phone, dependencies);
    if (refusal.status !== 401) return refusal;
    return register(withCredentials("REGISTER", uri, fields, refusal, user), phone, dependencies);
  };

  for (const [charset, unstorable] of [
    ["latin1", ["😀", "Дмитрий", "日本"]],
    ["utf8mb3", ["😀", "b😀b"]],
    ["ascii", ["böb", "😀"]],
  ] as const) {
    it(`${charset}: names that it cannot store have no account, and look-ups in the same batch are answered`, async () => {
      await convert(charset);
      const asked = ["bob", ...unstorable, "alice", "100", ...unstorable, "ghost"];
      const [resolutions, lists] = await Promise.all([
        Promise.all(asked.map((name) => dependencies.lookup.resolve(of(name)))),
        Promise.all(asked.map((name) => dependencies.lookup.bindings(of(name)))),
      ]);
      expect(resolutions.map(({ domain }) => domain?.name)).toEqual(asked.map(() => "example.com"));
      expect(resolutions.map(({ account }) => account?.username)).toEqual(
        asked.map((name) => ({ bob: "bob", alice: "alice", "100": "bob" })[name]),
      );
      expect(lists).toEqual(asked.map(() => ({ version: 0, bindings: [] })));
    });

    it(`${charset}: REGISTER and INVITE for such a name are answered as for an unknown one`, async () => {
      await convert(charset);
      for (const name of unstorable.map(encodeURIComponent)) {
        expect((await registered(name)).status).toBe(401);
        services.now += 1;
        const call = {
          From: "<sip:bob@example.com>;tag=1",
          To: `<sip:${name}@example.com>`,
          "Call-ID": "call",
        };
        const refusal = await route(
          requestOf("INVITE", `sip:${name}@example.com`, call),
          phone,
          dependencies,
        );
        expect(refusal).toMatchObject({ status: 407 });
        if (refusal.kind !== "reject") throw new Error("routed");
        const again = withCredentials("INVITE", `sip:${name}@example.com`, call, refusal, "bob");
        expect(await route(again, phone, dependencies)).toMatchObject({ status: 404 });
      }
    });

    it(`${charset}: a contact, Call-ID or instance that it cannot store is answered with 400, and other changes of the same commit stay`, async () => {
      await convert(charset);
      const odd = toWireText(unstorable[0]);
      const answers = await Promise.all([
        registered("bob", { Contact: `<sip:bob@192.0.2.1;x=${odd}>` }),
        registered("alice"),
      ]);
      expect(answers).toMatchObject([
        { status: 400, reason: "The database cannot hold this binding's contact" },
        { status: 200 },
      ]);
      expect(await registered("bob", { "Call-ID": `reg${odd}` })).toMatchObject({ status: 400 });
      expect(
        await registered("bob", { Contact: `<sip:bob@192.0.2.1>;+sip.instance="<${odd}>"` }),
      ).toMatchObject({ status: 400 });
      expect(await registered("bob", { "User-Agent": odd })).toMatchObject({ status: 200 });
    });
  }

  it("a page of users is read whatever the charset, also if `location` sorts names in another way", async () => {
    await server.query(
      "INSERT INTO subscriber (username, domain, password) VALUES ('Carol', 'example.com', '')",
    );
    expect(await registered("bob")).toMatchObject({ status: 200 });
    for (const [charset, ofLocation] of [
      ["utf8mb4 COLLATE utf8mb4_general_ci", "utf8mb4 COLLATE utf8mb4_bin"],
      ["latin1", "utf8mb4"],
      ["latin1", "latin1"],
    ] as const) {
      await convert(charset);
      await server.query(`ALTER TABLE location CONVERT TO CHARACTER SET ${ofLocation}`);
      const tables = new LocationTables(database, () => undefined);
      const names = await tables.names("users", { username: "", domain: "" }, 9);
      expect(names).toHaveLength(3);
      expect(await tables.resolve(names, true)).toEqual(await tables.resolve(names));
      const lists = await tables.bindings(names, true);
      expect(lists.map(({ bindings }) => bindings.length)).toEqual(
        names.map(({ username }) => (username === "bob" ? 1 : 0)),
      );
    }
  });

  it.each(["utf8mb4_bin", "utf8mb4_nopad_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"])(
    "the collation %s beside Strowger's: users, aliases and a domain's alias are found, with their settings",
    async (collation) => {
      await convert(`utf8mb4 COLLATE ${collation}`);
      const tables = new LocationTables(database, () => "203.0.113.1:5060");
      dependencies = {
        ...services.dependencies(),
        lookup: new Location(tables, locationDependencies({ defer: setImmediate })),
      };
      await server.query("REPLACE INTO domain (domain) VALUES ('alias.example')");
      await server.query(
        "REPLACE INTO strowger_domain (domain, alias_of) VALUES ('alias.example', 'example.com')",
      );
      await server.query(
        "REPLACE INTO strowger_subscriber (username, domain, max_contacts) VALUES ('bob', 'example.com', 7)",
      );
      const asked = [of("bob"), of("100"), { username: "bob", domain: "alias.example" }, of("ghost")];
      const found = await Promise.all(asked.map((name) => dependencies.lookup.resolve(name)));
      expect(found.map(({ domain }) => domain?.name)).toEqual(asked.map(() => "example.com"));
      expect(found.map(({ account }) => [account?.username, account?.registration.maxContacts])).toEqual([
        ["bob", 7],
        ["bob", 7],
        ["bob", 7],
        [undefined, undefined],
      ]);
      expect(await registered("bob")).toMatchObject({ status: 200 });
      await server.query("DELETE FROM strowger_subscriber");
      await server.query("DELETE FROM strowger_domain");
    },
  );

  it("a contact that is longer than its column is answered with 400", async () => {
    await convert("utf8mb4");
    const long = `<sip:bob@192.0.2.1:5060;x=${"x".repeat(300)}>`;
    expect(await registered("bob", { Contact: long })).toMatchObject({
      status: 400,
      reason: "The database cannot hold this binding's contact",
    });
    expect(await server.query("SELECT contact_id FROM location")).toEqual([]);
  });
});
