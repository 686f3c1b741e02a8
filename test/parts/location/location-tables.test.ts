/** The location store on a real MariaDB: the contract, rows of other tools, and an outage of the database. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Database } from "../../../sip-node/src/adapters/mysql/database.ts";
import { LocationTables } from "../../../sip-node/src/adapters/mysql/location-tables.ts";
import { reap, reapAll } from "../../../sip-node/src/adapters/mysql/reaper.ts";
import { StoreUnavailable } from "../../../sip-node/src/location/location-store.ts";
import { flowOf } from "../../../sip-node/src/wire/flow.ts";
import { locationContract } from "../../support/location-contract.ts";
import { databaseOf, startMigrated } from "../../support/location-database.ts";
import type { TestMariadb } from "../../support/mariadb.ts";
import { describeWith } from "../../support/needs.ts";

const tables = [
  "domain",
  "subscriber",
  "dbaliases",
  "location",
  "strowger_domain",
  "strowger_subscriber",
  "strowger_aor",
  "strowger_flow",
  "strowger_dialog_target",
]; // prettier-ignore

const socket = "203.0.113.1:5060";
const clear = async (server: TestMariadb): Promise<void> => {
  for (const table of tables) await server.query(`DELETE FROM ${table}`);
};

describeWith(["mariadb"], "MariaDB", () => {
  locationContract("MySQL tables", async () => {
    const server = await startMigrated();
    const databases = [databaseOf(server), databaseOf(server)] as const;
    return {
      stores: [
        new LocationTables(databases[0], () => socket),
        new LocationTables(databases[1], () => socket),
      ],
      addDomain: async (
        name,
        {
          aliasOf = null,
          isEnabled = true,
          realm = null,
          maxContacts = null,
          onMaxContacts = null,
          anonymousCallers = null,
        } = {},
      ) => {
        await server.query("INSERT INTO domain (domain) VALUES (?)", [name]);
        await server.query(
          "INSERT INTO strowger_domain (domain, alias_of, enabled, realm, max_contacts, on_max_contacts, anonymous_callers) VALUES (?, ?, ?, ?, ?, ?, ?)",
          [name, aliasOf, isEnabled ? 1 : 0, realm, maxContacts, onMaxContacts, anonymousCallers],
        );
      },
      addUser: async (username, domain, { password = "", ha1 = "", isEnabled, maxContacts } = {}) => {
        await server.query("INSERT INTO subscriber (username, domain, password, ha1) VALUES (?, ?, ?, ?)", [
          username,
          domain,
          password,
          ha1,
        ]); // prettier-ignore
        if (isEnabled === undefined && maxContacts === undefined) return;
        await server.query(
          "INSERT INTO strowger_subscriber (username, domain, enabled, max_contacts) VALUES (?, ?, ?, ?)",
          [username, domain, isEnabled === false ? 0 : 1, maxContacts ?? null],
        );
      },
      addAlias: async (alias, of) =>
        void (await server.query(
          "INSERT INTO dbaliases (alias_username, alias_domain, username, domain) VALUES (?, ?, ?, ?)",
          [alias.username, alias.domain, of.username, of.domain],
        )),
      clear: () => clear(server),
      stop: async () => {
        for (const database of databases) await database.close();
        await server[Symbol.asyncDispose]();
      },
    };
  });
});

describeWith(["mariadb"], "rows of other tools in `location`", () => {
  let server: TestMariadb;
  let database: Database;
  let store: LocationTables;
  const bob = { username: "bob", domain: "example.com" };

  beforeAll(async () => {
    server = await startMigrated();
    database = databaseOf(server);
    store = new LocationTables(database, () => socket);
  });
  afterAll(async () => {
    await database.close();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => clear(server));

  const insert = (id: number, contact: string, received: string | null, expires: string) =>
    server.query(
      `INSERT INTO location (contact_id, username, domain, contact, received, expires) VALUES (?, 'bob', 'example.com', ?, ?, ${expires})`,
      [id, contact, received],
    );
  const read = async () => (await store.bindings([bob]))[0]?.bindings ?? [];

  it("are read without a row of strowger_flow: the flow is `received`, or the contact's address", async () => {
    await insert(1, "sip:bob@10.0.0.1:5070", "sip:198.51.100.7:4711;transport=udp", "UNIX_TIMESTAMP() + 60");
    await insert(2, "sip:bob@192.0.2.9", null, "UNIX_TIMESTAMP() + 60");
    expect(
      (await read()).map(({ id, flow, isBehindNat, ownerNode, q }) => [
        id,
        flow.key,
        isBehindNat,
        ownerNode,
        q,
      ]),
    ).toEqual([
      ["1", "udp:198.51.100.7:4711", true, "", 1000],
      ["2", "udp:192.0.2.9:5060", false, "", 1000],
    ]);
  });

  it("a binding of an exchange whose address does not fit into `socket` is stored without it", async () => {
    const withoutSocket = new LocationTables(database, () => undefined);
    await server.query("INSERT INTO domain (domain) VALUES ('example.com')");
    await insert(1, "sip:bob@192.0.2.9", null, "UNIX_TIMESTAMP() + 60");
    const [row] = await read();
    expect(await withoutSocket.commit([{ aor: bob, version: 0, bindings: [{ ...row!, id: "2" }] }])).toEqual([
      "committed",
    ]);
    expect(await server.query("SELECT socket FROM location WHERE contact_id = 2")).toEqual([
      { socket: null },
    ]);
  });

  it("the reaper deletes the dialog targets that were not refreshed for more than a day, and no others", async () => {
    const flow = flowOf("192.0.2.9", 5060);
    const targets = ["1", "2"].map((sideId) => ({
      sideId,
      contactKey: "7",
      flow,
      isBehindNat: true,
      ownerNode: "",
    }));
    await store.storeDialogTargets(targets);
    await server.query(
      "UPDATE strowger_dialog_target SET refreshed_at = refreshed_at - 90000001 WHERE side_id = 1",
    );
    await reapAll(database);
    expect(await store.dialogTargets(["1", "2"])).toEqual([undefined, targets[1]]);
  });

  it("expires 0 means that a binding does not expire, as in OpenSIPS, and the reaper does not delete it", async () => {
    await insert(1, "sip:bob@192.0.2.9", null, "0");
    await insert(2, "sip:bob@192.0.2.8", null, "UNIX_TIMESTAMP() - 3600");
    await insert(3, "sip:bob@192.0.2.7", null, "UNIX_TIMESTAMP() - 300"); // a nonce of its REGISTER may still be valid
    expect(await reap(database)).toBe(1);
    expect((await read()).map(({ id, expiresIn }) => [id, expiresIn > 0])).toEqual([
      ["1", true],
      ["3", false],
    ]);
  });

  it("bindings without an IP address are skipped and do not affect others", async () => {
    const contacts = [
      "sip:bob@phone.example.org",
      "sip:bob@999.1.1.1",
      "sip:bob@[1:2:3]",
      "tel:+49",
      "",
      "sip:b@h\r\nEvil: 1",
    ];
    for (const [i, contact] of contacts.entries())
      await insert(i + 1, contact, null, "UNIX_TIMESTAMP() + 60");
    await insert(9, "sip:bob@192.0.2.9", null, "UNIX_TIMESTAMP() + 60");
    expect((await read()).map(({ id }) => id)).toEqual(["9"]);
  });

  it("a subscriber table without ha1_sha256, as in OpenSIPS before 3.2, is supported", async () => {
    await server.query("INSERT INTO domain (domain) VALUES ('example.com')");
    await server.query("INSERT INTO subscriber (username, domain, ha1) VALUES ('bob', 'example.com', 'x')");
    await server.query("ALTER TABLE subscriber RENAME COLUMN ha1_sha256 TO ha1b");
    try {
      await server.query("UPDATE subscriber SET ha1b = 'y'");
      const [found] = await new LocationTables(database, () => socket).resolve([bob]);
      expect(found?.account).toMatchObject({ ha1: "x", ha1Sha256: undefined, ha1b: "y" });
    } finally {
      await server.query("ALTER TABLE subscriber RENAME COLUMN ha1b TO ha1_sha256");
    }
  });

  it("hashes for the login name user@domain are stored beside a table of OpenSIPS 3.2 or newer", async () => {
    await server.query("INSERT INTO domain (domain) VALUES ('example.com')");
    await server.query("INSERT INTO subscriber (username, domain, ha1) VALUES ('bob', 'example.com', 'x')");
    await server.query(
      "INSERT INTO strowger_subscriber (username, domain, ha1b, ha1b_sha256) VALUES ('bob', 'example.com', 'y', 'z')",
    );
    const [found] = await store.resolve([bob]);
    expect(found?.account).toMatchObject({ ha1: "x", ha1Sha256: undefined, ha1b: "y", ha1bSha256: "z" });
  });

  it("a domain with a dbaliases row of another domain keeps its own settings for unknown users", async () => {
    for (const domain of ["a.example", "b.example"])
      await server.query("INSERT INTO domain (domain) VALUES (?)", [domain]);
    await server.query("INSERT INTO strowger_domain (domain, enabled) VALUES ('b.example', 0)");
    await server.query("INSERT INTO subscriber (username, domain) VALUES ('bob', 'b.example')");
    await server.query(
      "INSERT INTO dbaliases (alias_username, alias_domain, username, domain) VALUES ('100', 'a.example', 'bob', 'b.example')",
    );
    const answers = await store.resolve([
      { username: "ghost", domain: "a.example" },
      { username: "100", domain: "a.example" },
    ]);
    expect(answers.map(({ domain }) => [domain?.name, domain?.isEnabled])).toEqual([
      ["a.example", true],
      ["b.example", false],
    ]);
  });

  it("statements without an answer release their connections at the time limit, so other statements are answered", async () => {
    const stuck = Array.from({ length: 4 }, () => database.read("stuck", "SELECT SLEEP(8)", []));
    await Promise.all(stuck.map((one) => expect(one).rejects.toThrow(StoreUnavailable)));
    const start = performance.now();
    expect(await read()).toEqual([]);
    expect(performance.now() - start).toBeLessThan(6_000); // less than the 8 s of the sleeping statements
  });

  it("a statement waits while all connections are busy", async () => {
    const busy = Array.from({ length: 4 }, () => database.read("busy", "SELECT SLEEP(0.5)", []));
    expect(await read()).toEqual([]);
    await Promise.all(busy);
  });

  it("a value that cannot be sent in a statement is an internal error, not an outage", async () => {
    const statement = database.read("mistake", "SELECT ?", [undefined as unknown as null]);
    await expect(statement).rejects.toThrow(TypeError);
    expect(await read()).toEqual([]);
  });

  it("of two hosts the one that answers is used, also after two concurrent failures on the other", async () => {
    const hosts = [1, server.port].map((port) => ({ host: "127.0.0.1", port }));
    const two = databaseOf(server, hosts);
    const failed = await Promise.allSettled([two.read("a", "SELECT 1", []), two.read("b", "SELECT 1", [])]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await two.read("c", "SELECT 1 AS one", [])).toEqual([{ one: 1 }]);
    await two.close();
  });

  it("while the server is unavailable every call fails with StoreUnavailable in bounded time; afterwards calls work again", async () => {
    await server.crash();
    const change = { aor: bob, version: 0, bindings: [] };
    await expect(store.resolve([bob])).rejects.toThrow(StoreUnavailable);
    await expect(store.bindings([bob])).rejects.toThrow(StoreUnavailable);
    await expect(store.commit([change])).rejects.toThrow(StoreUnavailable);
    await server.restart();
    expect(await store.bindings([bob])).toEqual([{ version: 0, bindings: [] }]);
    expect(await store.commit([change])).toEqual(["committed"]);
  });
});
