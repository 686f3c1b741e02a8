/**
 * What a REGISTER changes (RFC 3261 §10.3 steps 6 and 7): the request and the bindings as read, to the bindings to write. Pure.
 */
import type { RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { Flow } from "../wire/flow.ts";
import { type ContactChange, contactChanges, removal } from "./contact-changes.ts";
import { makeRoom, tooManyContacts } from "./make-room.ts";
import type { Registration } from "./registration.ts";
import { type Rejection, reject } from "../wire/rejection.ts";

export interface Accepted {
  readonly kind: "accept";
  /** Empty for a fetch and for a repeated request. */
  readonly write: readonly Binding[];
  /** What the answer lists. */
  readonly current: readonly Binding[];
  /** Flows that the phone was on before. */
  readonly left: readonly Flow[];
}

export type Plan = Accepted | { readonly kind: "stale" } | Rejection;

/** `rows` are all of the address of record, expired ones too: their Call-ID, CSeq and nonce still count. */
export function plan(register: Registration, rows: readonly Binding[], settings: RegistrationSettings): Plan {
  const current = rows.filter(isCurrent);
  if (register.contacts.kind === "star") return removeAll(register, rows, current);
  const made = contactChanges(register, register.contacts.contacts, rows, settings);
  if (made.kind === "reject") return made;
  const { changes } = made;
  if (changes.every(isRepeated)) return accept([], current);
  const refusal = refuseOld(register, changes) ?? refuseReplay(register, rows);
  if (refusal !== undefined) return refusal;
  const replaced = makeRoom(register, changes, current, settings);
  return replaced === undefined ? tooManyContacts(settings) : accept([...changes, ...replaced], current);
}

// §10.3 step 6: "*" removes all, with Expires 0 only
function removeAll(register: Registration, rows: readonly Binding[], current: readonly Binding[]): Plan {
  if (register.expires !== 0) return reject(400, 'Contact "*" needs Expires: 0');
  const changes = current.map((row) => removal(register, row));
  if (
    changes.length === 0 &&
    rows.some((row) => row.callId === register.callId && row.cseq === register.cseq)
  )
    return accept([], []);
  return refuseOld(register, changes) ?? refuseReplay(register, rows) ?? accept(changes, current);
}

function accept(changes: readonly ContactChange[], current: readonly Binding[]): Accepted {
  const write = changes.map(({ binding }) => binding);
  const changed = new Set(write.map(({ id }) => id));
  return {
    kind: "accept",
    write,
    current: [...current.filter(({ id }) => !changed.has(id)), ...write.filter(isCurrent)],
    left: changes.flatMap(({ left }) => left ?? []),
  };
}

/** Equal Call-ID and CSeq with an equal contact is the same request, which another node may have stored already (rule 13). */
const isRepeated = ({ row, binding }: ContactChange): boolean =>
  row !== undefined &&
  row.callId === binding.callId &&
  row.cseq === binding.cseq &&
  row.contact === binding.contact &&
  isCurrent(row) === isCurrent(binding);

/** Of rows of the same Call-ID: a CSeq that is not higher fails (§10.3 step 7). */
function refuseOld({ callId, cseq }: Registration, changes: readonly ContactChange[]): Rejection | undefined {
  const newer = changes.find(({ row }) => row?.callId === callId && cseq <= row.cseq)?.row;
  return newer === undefined ? undefined : reject(400, `CSeq ${cseq} is not above ${newer.cseq}`);
}

/**
 * A nonce use that is not newer than any that this Call-ID made before, for whatever contact: the digest covers neither CSeq nor
 * Contact, so that an eavesdropper could add a contact of its own (design-sip rule 16). A fresh nonce settles it.
 */
function refuseReplay(
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
