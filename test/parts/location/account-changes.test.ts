/** A node notices rows that other tools write, by the times that MariaDB tells (docs/adr/0045). */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../../sip-node/src/adapters/mysql/database.ts";
import { LocationTables } from "../../../sip-node/src/adapters/mysql/location-tables.ts";
import { AccountsState, unknownTables } from "../../../sip-node/src/location/account-changes.ts";
import { databaseOf, startMigrated } from "../../support/location-database.ts";
import type { TestMariadb } from "../../support/mariadb.ts";
import { describeWith } from "../../support/needs.ts";

describeWith(["mariadb"], "changes of users, domains and aliases", () => {
  let server: TestMariadb;
  let database: Database;
  let store: LocationTables;
  beforeAll(async () => {
    server = await startMigrated();
    database = databaseOf(server);
    store = new LocationTables(database, () => undefined);
  });
  afterAll(async () => {
    await database.close();
    await server[Symbol.asyncDispose]();
  });

  const beat = () =>
    server.query(
      "REPLACE INTO strowger_node (node_id, address, started_at, beat_at) VALUES ('aaaaaaaaaaaa', '', 0, 0)",
    );
  /** Polls until nothing moves: no table was changed in the last two seconds. */
  const settle = (state: AccountsState) =>
    expect
      .poll(async () => state.update(await store.accountChanges(true), 0), { timeout: 10_000, interval: 300 })
      .toBe("no");

  it("a server that was never written since its start tells nothing; a node's heartbeat shows that it tells", async () => {
    await beat();
    expect((await store.accountChanges(true)).tables).not.toBe(unknownTables);
    expect((await store.accountChanges(false)).tables).toBeUndefined();
  });

  it.each([
    ["INSERT INTO domain (domain) VALUES ('parts.example')", "tables"],
    ["INSERT INTO subscriber (username, domain, password) VALUES ('bob', 'parts.example', 'x')", "tables"],
    ["UPDATE subscriber SET password = 'y'", "tables"],
    ["INSERT INTO dbaliases (alias_username, alias_domain) VALUES ('100', 'parts.example')", "tables"],
    ["INSERT INTO strowger_domain (domain) VALUES ('parts.example')", "tables"],
    ["INSERT INTO strowger_subscriber (username, domain) VALUES ('bob', 'parts.example')", "tables"],
    ["DELETE FROM subscriber", "tables"],
    ["UPDATE strowger_meta SET change_seq = change_seq + 1", "operator"],
  ])("%s", async (sql, moved) => {
    await server.query(
      "INSERT IGNORE INTO strowger_meta (id, installation_id) VALUES (1, '00000000-0000-4000-8000-000000000000')",
    );
    await beat();
    const state = new AccountsState();
    await settle(state);
    await server.query(sql);
    expect(state.update(await store.accountChanges(true), 0)).toBe(moved);
  });

  it("the time of the database is in milliseconds", async () => {
    const { databaseNow } = await store.accountChanges(false);
    expect(Math.abs(databaseNow - Date.now())).toBeLessThan(60_000);
  });
});
