/** The plan of a REGISTER (RFC 3261 §10.3 steps 6 and 7): which bindings to write, from the request and the current rows. Pure. */
import type { RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { Flow } from "../wire/flow.ts";
import { type ContactChange, planContactChanges, removal } from "./contact-changes.ts";
import { removeExcessContacts, tooManyContacts } from "./contact-limit.ts";
import type { Registration } from "./registration.ts";
import { type Rejection, reject } from "../wire/rejection.ts";

export interface AcceptedPlan {
  readonly kind: "accept";
  /** The bindings to write; empty for a fetch and for a repeated request. */
  readonly changed: readonly Binding[];
  /** The current bindings after the change, which the response lists. */
  readonly current: readonly Binding[];
  /** Flows that the phone has moved from. */
  readonly formerFlows: readonly Flow[];
}

/** `stale`: the credentials may be a replay; challenge again with stale=true. */
export type Plan = AcceptedPlan | { readonly kind: "stale" } | Rejection;

/** `rows`: all rows of the address of record, expired ones too, because the request is compared with their Call-ID, CSeq and nonce. */
export function plan(register: Registration, rows: readonly Binding[], settings: RegistrationSettings): Plan {
  const current = rows.filter(isCurrent);
  if (register.contacts.kind === "star") return removeAll(register, rows, current);
  const planned = planContactChanges(register, register.contacts.contacts, rows, settings);
  if (planned.kind === "reject") return planned;
  const { changes } = planned;
  if (changes.every(isRepeated)) return accept([], current);
  const rejection = rejectOld(register, changes) ?? detectReplay(register, rows);
  if (rejection !== undefined) return rejection;
  const excess = removeExcessContacts(register, changes, current, settings);
  return excess === undefined ? tooManyContacts(settings) : accept([...changes, ...excess], current);
}

/** §10.3 step 6: "*" removes all bindings. It needs Expires: 0. */
function removeAll(register: Registration, rows: readonly Binding[], current: readonly Binding[]): Plan {
  if (register.expires !== 0) return reject(400, 'Contact "*" needs Expires: 0');
  const changes = current.map((row) => removal(register, row));
  if (
    changes.length === 0 &&
    rows.some((row) => row.callId === register.callId && row.cseq === register.cseq)
  )
    return accept([], []);
  return rejectOld(register, changes) ?? detectReplay(register, rows) ?? accept(changes, current);
}

function accept(changes: readonly ContactChange[], current: readonly Binding[]): AcceptedPlan {
  const changed = changes.map(({ binding }) => binding);
  const ids = new Set(changed.map(({ id }) => id));
  return {
    kind: "accept",
    changed,
    current: [...current.filter(({ id }) => !ids.has(id)), ...changed.filter(isCurrent)],
    formerFlows: changes.flatMap(({ formerFlow }) => formerFlow ?? []),
  };
}

/** Equal Call-ID, CSeq and contact: it is the same request, and another node may have stored it already (design-sip rule 13). */
const isRepeated = ({ row, binding }: ContactChange): boolean =>
  row !== undefined &&
  row.callId === binding.callId &&
  row.cseq === binding.cseq &&
  row.contact === binding.contact &&
  isCurrent(row) === isCurrent(binding);

/** §10.3 step 7: the CSeq must be higher than that of the rows with the same Call-ID. */
function rejectOld({ callId, cseq }: Registration, changes: readonly ContactChange[]): Rejection | undefined {
  const newer = changes.find(({ row }) => row?.callId === callId && cseq <= row.cseq)?.row;
  return newer === undefined ? undefined : reject(400, `CSeq ${cseq} is not above ${newer.cseq}`);
}

/**
 * The use of a nonce must be newer than all earlier uses with this Call-ID, for any contact. The digest covers neither CSeq nor Contact, so
 * an eavesdropper could add a contact of its own (design-sip rule 16). The phone tries again with a new nonce.
 */
function detectReplay(
  { callId, nonce }: Registration,
  rows: readonly Binding[],
): { kind: "stale" } | undefined {
  const isReplay = rows.some(
    (row) =>
      row.callId === callId &&
      row.nonceAt > 0 &&
      (nonce.at < row.nonceAt || (nonce.at === row.nonceAt && nonce.count <= row.nonceCount)),
  );
  return isReplay ? { kind: "stale" } : undefined;
}
