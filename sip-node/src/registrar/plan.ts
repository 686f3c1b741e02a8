/**
 * What a REGISTER changes (RFC 3261 §10.3 steps 6 and 7): the request and the bindings as read, to the bindings to write. Pure.
 */
import { isContactBehindNat, contactId } from "../location/contact-id.ts";
import type { Aor, RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { Contact, Contacts } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import type { Epoch, Seconds } from "../wire/units.ts";
import type { Rejection } from "./rejection.ts";

/** Longest grant to a phone behind NAT on UDP: its address translation lives no longer than it is used (design-sip rule 10). */
export const maxExpiresBehindNat: Seconds = 120;

export interface Registration {
  readonly aor: Aor;
  readonly contacts: Contacts;
  /** The Expires header field, where there is one. */
  readonly expires: Seconds | undefined;
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string;
  readonly flow: Flow;
  readonly node: string;
  /** What the credentials proved. */
  readonly nonce: { readonly at: Epoch; readonly count: number };
}

export type Plan =
  /** `write` is empty for a fetch and for a repeated request; `current` is what the answer lists. */
  | { readonly kind: "accept"; readonly write: readonly Binding[]; readonly current: readonly Binding[] }
  | { readonly kind: "stale" }
  | Rejection;

/** `bindings` are all rows of the address of record, expired ones too: their Call-ID, CSeq and nonce still count. */
export function plan(
  register: Registration,
  bindings: readonly Binding[],
  settings: RegistrationSettings,
): Plan {
  const current = bindings.filter(isCurrent);
  if (register.contacts.kind === "star") return removeAll(register, bindings, current);
  if (register.contacts.contacts.length === 0) return { kind: "accept", write: [], current };

  const rows = new Map(bindings.map((binding) => [binding.id, binding]));
  const wanted = new Map<string, Binding>();
  for (const contact of register.contacts.contacts) {
    const binding = bind(register, contact, settings);
    if ("kind" in binding) return binding;
    wanted.set(binding.id, binding);
  }
  const touched = [...wanted.values()].map((binding) => {
    const row = rows.get(binding.id);
    return { binding: { ...binding, registeredAt: since(row) }, row };
  });
  if (touched.every(({ binding, row }) => row !== undefined && isSameRequest(row, binding)))
    return { kind: "accept", write: [], current };
  const refusal = refuseOld(
    register,
    touched.map(({ row }) => row),
  );
  if (refusal !== undefined) return refusal;
  if (isReplay(register, bindings)) return { kind: "stale" };
  // Removing what is not there changes nothing (§10.3 step 7).
  const write = touched
    .filter(({ binding, row }) => isCurrent(binding) || row !== undefined)
    .map(({ binding }) => binding);
  const after = [...current.filter(({ id }) => !wanted.has(id)), ...write.filter(isCurrent)];
  if (after.length > settings.maxContacts && after.length > current.length)
    return {
      kind: "reject",
      status: 403,
      reason: `Too many contacts: at most ${settings.maxContacts}`,
      lines: "",
    };
  return { kind: "accept", write, current: after };
}

// §10.3 step 6: "*" removes all, with Expires 0 only
function removeAll(register: Registration, bindings: readonly Binding[], current: readonly Binding[]): Plan {
  if (register.expires !== 0)
    return { kind: "reject", status: 400, reason: 'Contact "*" needs Expires: 0', lines: "" };
  if (bindings.length > 0 && current.length === 0 && bindings.some((row) => isRepeated(register, row)))
    return { kind: "accept", write: [], current: [] };
  const refusal = refuseOld(register, current);
  if (refusal !== undefined) return refusal;
  if (isReplay(register, bindings)) return { kind: "stale" };
  const write = current.map((row) => ({ ...row, ...proof(register), expiresIn: 0 }));
  return { kind: "accept", write, current: [] };
}

// §10.3 step 7: the expiration of one contact, and the binding it makes
function bind(register: Registration, contact: Contact, settings: RegistrationSettings): Binding | Rejection {
  const requested = contact.expires ?? register.expires ?? settings.defaultExpires;
  if (requested > 0 && requested < settings.minExpires && requested < 3600)
    return {
      kind: "reject",
      status: 423,
      reason: "Interval Too Brief",
      lines: `Min-Expires: ${settings.minExpires}\r\n`,
    };
  const isBehindNat = isContactBehindNat(contact.uri, register.flow);
  const longest = isBehindNat ? Math.min(maxExpiresBehindNat, settings.maxExpires) : settings.maxExpires;
  return {
    ...proof(register),
    id: contactId(register.aor, contact, register.flow, isBehindNat),
    contact: contact.uri,
    q: contact.q ?? 1000,
    expiresIn: Math.min(requested, longest),
    flow: register.flow,
    isBehindNat,
    ownerNode: register.node,
    userAgent: register.userAgent,
    instance: contact.instance,
    regId: contact.regId,
    registeredAt: 0,
  };
}

/** What had expired or was removed registers anew. */
const since = (row: Binding | undefined): Epoch =>
  row !== undefined && isCurrent(row) ? row.registeredAt : 0;

const proof = (register: Registration) => ({
  callId: register.callId,
  cseq: register.cseq,
  nonceAt: register.nonce.at,
  nonceCount: register.nonce.count,
});

/** Equal Call-ID and CSeq with an equal contact is the same request, which another node may have stored already (rule 13). */
const isSameRequest = (row: Binding, wanted: Binding): boolean =>
  row.callId === wanted.callId &&
  row.cseq === wanted.cseq &&
  row.contact === wanted.contact &&
  isCurrent(row) === isCurrent(wanted);

const isRepeated = (register: Registration, row: Binding): boolean =>
  row.callId === register.callId && row.cseq === register.cseq;

/** Of rows of the same Call-ID: a CSeq that is not higher fails (§10.3 step 7). */
function refuseOld(register: Registration, rows: readonly (Binding | undefined)[]): Rejection | undefined {
  const newer = rows.find((row) => row?.callId === register.callId && register.cseq <= row.cseq);
  if (newer === undefined) return undefined;
  return {
    kind: "reject",
    status: 400,
    reason: `CSeq ${register.cseq} is not above ${newer.cseq}`,
    lines: "",
  };
}

/**
 * A nonce use that is not newer than any that this Call-ID made before, for whatever contact: the digest covers neither CSeq nor
 * Contact, so that an eavesdropper could add a contact of its own (design-sip rule 16). A fresh nonce settles it.
 */
function isReplay({ callId, nonce }: Registration, rows: readonly Binding[]): boolean {
  return rows.some(
    (row) =>
      row.callId === callId &&
      row.nonceAt > 0 &&
      (nonce.at < row.nonceAt || (nonce.at === row.nonceAt && nonce.count <= row.nonceCount)),
  );
}
