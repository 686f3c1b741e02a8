/**
 * The connection to MariaDB ends while COMMIT runs (design-sip rule 12; kamailio 30 and opensips 764 and 801 describe the effects when a
 * server assumes a result). The tables decide: only stored changes are acknowledged.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { LocationTables } from "../../../sip-node/src/adapters/mysql/location-tables.ts";
import type { Binding } from "../../../sip-node/src/location/binding.ts";
import { flowOf } from "../../../sip-node/src/wire/flow.ts";
import { databaseOf, startMigrated } from "../../support/location-database.ts";
import type { TestMariadb } from "../../support/mariadb.ts";
import { describeWith } from "../../support/needs.ts";

/** A relay to a server on loopback. It closes the connection of the next COMMIT: before the server receives it, or after its answer. */
async function startRelay(target: number) {
  let cut: "before" | "after" | undefined;
  const server = createServer((inner) => {
    const outer = connect(target, "127.0.0.1");
    let isCut = false;
    const end = () => {
      inner.destroy();
      outer.destroy();
    };
    for (const socket of [inner, outer]) socket.on("error", end).on("close", end);
    inner.on("data", (bytes) => {
      const isCommit = cut !== undefined && bytes.includes("COMMIT");
      if (isCommit && cut === "before") end();
      else outer.write(bytes);
      if (!isCommit) return;
      isCut = true;
      cut = undefined;
    });
    outer.on("data", (bytes) => (isCut ? end() : inner.write(bytes)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cutNextCommit: (when: "before" | "after") => (cut = when),
    isArmed: () => cut !== undefined,
    close: () => server.close(),
  };
}

const aor = { username: "bob", domain: "example.com" };
const binding: Binding = {
  id: String(2n ** 62n),
  contact: "sip:bob@10.0.0.1",
  q: 1000,
  callId: "call-1",
  cseq: 7,
  expiresIn: 100,
  flow: flowOf("198.51.100.7", 40_000),
  isBehindNat: true,
  ownerNode: "0123456789ab",
  userAgent: "phone",
  instance: undefined,
  regId: 0,
  nonceAt: 1_800_000_000_000,
  nonceCount: 1,
  registeredAt: 0,
};

describeWith(["mariadb"], "a connection that ends while COMMIT runs", () => {
  let server: TestMariadb;
  let relay: Awaited<ReturnType<typeof startRelay>>;
  let database: ReturnType<typeof databaseOf>;
  let store: LocationTables;
  beforeAll(async () => {
    server = await startMigrated();
    relay = await startRelay(server.port);
    database = databaseOf(server, [{ host: "127.0.0.1", port: relay.port }]);
    store = new LocationTables(database, () => "203.0.113.1:5060");
  });
  beforeEach(async () => {
    for (const table of ["location", "strowger_flow", "strowger_aor"])
      await server.query(`DELETE FROM ${table}`);
  });
  afterAll(async () => {
    await database.close();
    relay.close();
    await server[Symbol.asyncDispose]();
  });
  const rows = async (): Promise<number> => (await server.query("SELECT contact_id FROM location")).length;
  const isCurrent = async (): Promise<boolean> =>
    ((await store.bindings([aor]))[0]?.bindings[0]?.expiresIn ?? 0) > 0;

  it("after the server stored it: the change is committed once", async () => {
    relay.cutNextCommit("after");
    expect(await store.commit([{ aor, version: 0, bindings: [binding] }])).toEqual(["committed"]);
    expect([relay.isArmed(), await rows(), await isCurrent()]).toEqual([false, 1, true]);
  });

  it("before the server received it: the call fails, and nothing is stored", async () => {
    relay.cutNextCommit("before");
    const [outcome] = await store.commit([{ aor, version: 0, bindings: [binding] }]);
    expect(outcome).toHaveProperty("failed");
    expect([relay.isArmed(), await rows()]).toEqual([false, 0]);
  });

  it.each(["before", "after"] as const)("of a removal, %s: the answer is the stored state", async (when) => {
    expect(await store.commit([{ aor, version: 0, bindings: [binding] }])).toEqual(["committed"]);
    const removal = { ...binding, cseq: 8, expiresIn: -1 };
    relay.cutNextCommit(when);
    const [outcome] = await store.commit([{ aor, version: 1, bindings: [removal] }]);
    expect(outcome === "committed").toBe(when === "after");
    expect([relay.isArmed(), await isCurrent()]).toEqual([false, when === "before"]);
  });
});
