/** Rows of users and bindings, as the contestants themselves would have written them. */
import { contactKey } from "../../../sip-node/src/location/contact-key.ts";
import { flowOf } from "../../../sip-node/src/wire/flow.ts";
import type { TestMariadb } from "../../support/mariadb.ts";
import { domain, passwordOf, userName } from "../users.ts";

const batchSize = 5_000;
const lifetime = 3600;
const userAgent = "Bench phone 1.0 (a text of usual length)";

interface Phone {
  readonly name: string;
  readonly address: string;
  readonly contact: string;
  readonly callId: string;
}

/** Adds the users `from` (included) to `to` (excluded), each with one binding at an address of its own, to Strowger's tables. */
export async function addStrowgerBindings(server: TestMariadb, from: number, to: number): Promise<void> {
  const expires = Math.floor(Date.now() / 1000) + lifetime;
  for (const phones of batches(from, to)) {
    await server.query("INSERT IGNORE INTO strowger.subscriber (username, domain, ha1) VALUES ?", [
      phones.map(({ name }) => [name, domain, "0123456789abcdef0123456789abcdef"]),
    ]);
    await server.query("INSERT INTO strowger.strowger_aor (username, domain, version) VALUES ?", [
      phones.map(({ name }) => [name, domain, 1]),
    ]);
    await server.query(
      "INSERT INTO strowger.location (contact_id, username, domain, contact, expires, callid, user_agent) VALUES ?",
      [
        phones.map((phone) => [
          idOf(phone),
          phone.name,
          domain,
          phone.contact,
          expires,
          phone.callId,
          userAgent,
        ]),
      ],
    );
    await server.query(
      "INSERT INTO strowger.strowger_flow (contact_id, flow, contact_key, owner_node, registered_at, refreshed_at) VALUES ?",
      [
        phones.map((phone) => [
          idOf(phone),
          flowOf(phone.address, 5060).key,
          contactKey(phone.contact),
          "abcdefabcdef",
          Date.now(),
          Date.now(),
        ]),
      ],
    );
  }
}

/** The same for a database of Kamailio. */
export async function addKamailioBindings(
  server: TestMariadb,
  database: string,
  from: number,
  to: number,
): Promise<void> {
  const expires = new Date(Date.now() + lifetime * 1000);
  for (const phones of batches(from, to)) {
    await server.query(`INSERT INTO ${database}.subscriber (username, domain, password) VALUES ?`, [
      phones.map(({ name }) => [name, domain, passwordOf(name)]),
    ]);
    await server.query(
      `INSERT INTO ${database}.location (ruid, username, contact, expires, callid, user_agent) VALUES ?`,
      [
        phones.map(({ name, contact, callId }) => [
          `uloc-${name}`,
          name,
          contact,
          expires,
          callId,
          userAgent,
        ]),
      ],
    );
  }
}

function* batches(from: number, to: number): Generator<Phone[]> {
  for (let start = from; start < to; start += batchSize)
    yield Array.from({ length: Math.min(batchSize, to - start) }, (_, offset) => phoneOf(start + offset));
}

function phoneOf(index: number): Phone {
  const name = userName(index);
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return {
    name,
    address,
    contact: `sip:${name}@${address}:5060`,
    callId: `${name}-0123456789abcdef01234567`,
  };
}

const idOf = ({ name }: Phone): number => 1_000_000 + Number(name.slice(1));
