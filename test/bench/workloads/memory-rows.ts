/** Rows of users and bindings, as the contestants themselves would have written them. */
import { contactKey } from "../../../sip-node/src/location/contact-key.ts";
import { flowOf } from "../../../sip-node/src/wire/flow.ts";
import type { TestMariadb } from "../../support/mariadb.ts";
import { probeContact, probeUser } from "../contestants/until-answers.ts";
import { domain, passwordOf, trustedAddress, userName } from "../users.ts";

const batchSize = 5_000;
const lifetime = 3600;
const userAgent = "Bench phone 1.0 (a text of usual length)";

interface Phone {
  readonly id: number;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly contact: string;
  readonly callId: string;
}

/** Adds the users `from` (included) to `to` (excluded), each with one binding at an address of its own. `database` is Kamailio's. */
export async function addBindings(
  server: TestMariadb,
  database: string,
  from: number,
  to: number,
): Promise<void> {
  for (let start = from; start < to; start += batchSize) {
    const count = Math.min(batchSize, to - start);
    const phones = Array.from({ length: count }, (_, offset) => phoneOf(start + offset));
    await insertIntoStrowger(server, phones);
    await insertIntoKamailio(server, database, phones);
  }
}

/** The user `probe` with a phone at this port, as the newest binding of both databases. */
export async function addProbe(server: TestMariadb, database: string, port: number): Promise<void> {
  const contact = probeContact(port);
  const probe = {
    id: 2_000_000,
    name: probeUser,
    address: trustedAddress,
    port,
    contact,
    callId: `probe-${port}`,
  };
  const tables = ["strowger.subscriber", "strowger.strowger_aor", "strowger.location"];
  for (const table of [...tables, `${database}.subscriber`, `${database}.location`])
    await server.query(`DELETE FROM ${table} WHERE username = ?`, [probeUser]);
  await server.query("DELETE FROM strowger.strowger_flow WHERE contact_id = ?", [probe.id]);
  await insertIntoStrowger(server, [probe]);
  await insertIntoKamailio(server, database, [probe]);
}

async function insertIntoStrowger(server: TestMariadb, phones: readonly Phone[]): Promise<void> {
  const now = Date.now();
  const expires = Math.floor(now / 1000) + lifetime;
  await server.query("INSERT IGNORE INTO strowger.subscriber (username, domain, ha1) VALUES ?", [
    phones.map(({ name }) => [name, domain, "0123456789abcdef0123456789abcdef"]),
  ]);
  await server.query("INSERT INTO strowger.strowger_aor (username, domain, version) VALUES ?", [
    phones.map(({ name }) => [name, domain, 1]),
  ]);
  await server.query(
    "INSERT INTO strowger.location (contact_id, username, domain, contact, expires, callid, user_agent) VALUES ?",
    [phones.map(({ id, name, contact, callId }) => [id, name, domain, contact, expires, callId, userAgent])],
  );
  const flowRow = ({ id, address, port, contact }: Phone): unknown[] => [
    id,
    flowOf(address, port).key,
    contactKey(contact),
    "",
    now,
    now,
  ];
  await server.query(
    "INSERT INTO strowger.strowger_flow (contact_id, flow, contact_key, owner_node, registered_at, refreshed_at) VALUES ?",
    [phones.map(flowRow)],
  );
}

async function insertIntoKamailio(
  server: TestMariadb,
  database: string,
  phones: readonly Phone[],
): Promise<void> {
  const expires = new Date(Date.now() + lifetime * 1000);
  await server.query(`INSERT INTO ${database}.subscriber (username, domain, password) VALUES ?`, [
    phones.map(({ name }) => [name, domain, passwordOf(name)]),
  ]);
  await server.query(
    `INSERT INTO ${database}.location (ruid, username, contact, expires, callid, user_agent) VALUES ?`,
    [phones.map(({ name, contact, callId }) => [`uloc-${name}`, name, contact, expires, callId, userAgent])],
  );
}

/** Addresses of loopback: a datagram that is sent to one stays on this machine. */
function phoneOf(index: number): Phone {
  const name = userName(index);
  const address = `127.${10 + ((index >> 16) & 63)}.${(index >> 8) & 255}.${index & 255}`;
  const contact = `sip:${name}@${address}:5060`;
  return {
    id: 1_000_000 + index,
    name,
    address,
    port: 5060,
    contact,
    callId: `${name}-0123456789abcdef01234567`,
  };
}
