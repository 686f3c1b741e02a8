/** The statements of a commit of bindings: rows of `strowger_aor`, `location` and `strowger_flow` (see `../../../../schema`). */
import type { Aor } from "../../location/account.ts";
import type { Binding, BindingChange } from "../../location/binding.ts";
import { contactKey } from "../../location/contact-key.ts";
import { toRowText } from "../../location/row-text.ts";
import { hostPort, transportParameter } from "../../wire/flow.ts";
import { databaseDatetime, databaseNow, databaseSeconds } from "./database-time.ts";
import { literal, literalRows } from "./literal.ts";

/**
 * One row for each change: inserted (1 row affected) if the plan saw none, raised (2) if it still has the planned version, unchanged (0) if
 * another node was faster. Only if every row is as planned, the sum is `raisedRows`.
 */
export const raiseVersions = (changes: readonly BindingChange[]): string =>
  `INSERT INTO strowger_aor (username, domain, version) VALUES
${literalRows(changes.map(({ aor, version }) => [aor.username, aor.domain, version + 1].map(literal)))}
ON DUPLICATE KEY UPDATE version = IF(version + 1 = VALUES(version), VALUES(version), version)`;

export const raisedRows = (changes: readonly BindingChange[]): number =>
  changes.reduce((sum, { version }) => sum + (version === 0 ? 1 : 2), 0);

/** Inserts or updates the rows of the changes' bindings; no statement without a binding. */
export function writeBindings(
  changes: readonly BindingChange[],
  socket: string | undefined,
): readonly string[] {
  const rows = changes.flatMap(({ aor, bindings }) => bindings.map((binding) => ({ aor, binding })));
  if (rows.length === 0) return [];
  return [
    `INSERT INTO location (contact_id, username, domain, contact, received, expires, q, callid, cseq, last_modified, flags, cflags,
  user_agent, socket, sip_instance) VALUES
${literalRows(rows.map(({ aor, binding }) => locationRow(aor, binding, socket)))}
ON DUPLICATE KEY UPDATE contact = VALUES(contact), received = VALUES(received), expires = VALUES(expires), q = VALUES(q),
  callid = VALUES(callid), cseq = VALUES(cseq), last_modified = VALUES(last_modified), cflags = VALUES(cflags),
  user_agent = VALUES(user_agent), socket = VALUES(socket), sip_instance = VALUES(sip_instance)`,
    `INSERT INTO strowger_flow (contact_id, flow, contact_key, owner_node, reg_id, nonce_at, nonce_count, registered_at, refreshed_at) VALUES
${literalRows(rows.map(({ binding }) => flowRow(binding)))}
ON DUPLICATE KEY UPDATE flow = VALUES(flow), contact_key = VALUES(contact_key), owner_node = VALUES(owner_node), reg_id = VALUES(reg_id), nonce_at = VALUES(nonce_at),
  nonce_count = VALUES(nonce_count), registered_at = VALUES(registered_at), refreshed_at = VALUES(refreshed_at)`,
  ];
}

function locationRow(aor: Aor, binding: Binding, socket: string | undefined): readonly string[] {
  const { transport, address, port } = binding.flow;
  const uri = `sip:${hostPort(address, port)}${transportParameter[transport]}`;
  const received = binding.isBehindNat ? uri : null;
  return [
    literal(binding.id),
    literal(aor.username),
    literal(aor.domain),
    literal(stored(binding.contact)),
    literal(received),
    `GREATEST(1, ${databaseSeconds} + ${literal(Math.floor(binding.expiresIn))})`,
    literal(binding.q / 1000),
    literal(stored(binding.callId)),
    literal(binding.cseq),
    databaseDatetime,
    "0",
    literal(binding.isBehindNat ? "NAT" : null),
    literal(stored(binding.userAgent)),
    literal(socket === undefined ? null : `${transport}:${socket}`),
    literal(binding.instance === undefined ? null : stored(binding.instance)),
  ]; // prettier-ignore
}

const flowRow = (binding: Binding): readonly string[] => [
  literal(binding.id),
  literal(binding.flow.key),
  literal(contactKey(binding.contact)),
  literal(binding.ownerNode),
  literal(binding.regId),
  literal(Math.floor(binding.nonceAt)),
  literal(binding.nonceCount),
  binding.registeredAt === 0 ? databaseNow : literal(binding.registeredAt),
  databaseNow,
]; // prettier-ignore

/** Text that is not UTF-8 was refused before (`location/storage-problem.ts`). */
const stored = (wire: string): string => toRowText(wire) ?? "";
