/**
 * What each contact of a REGISTER does to the rows of its address of record (RFC 3261 §10.3 step 7): the binding that it adds or refreshes,
 * or the rows that it removes. Which rows are one binding, and what a removal matches: docs/adr/0023. Pure.
 */
import type { RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import { contactId } from "../location/contact-id.ts";
import { contactPlace } from "../location/contact-place.ts";
import { areEqualUris, canonicalUri } from "../wire/compare-uris.ts";
import type { Contact } from "../wire/contact.ts";
import type { Flow } from "../wire/flow.ts";
import type { Seconds } from "../wire/units.ts";
import { maxExpiresBehindNat, type Registration } from "./registration.ts";
import { type Rejection, reject } from "../wire/rejection.ts";

export interface ContactChange {
  /** As it is to be written; expired where the contact removes it. */
  readonly binding: Binding;
  /** As it is; undefined for a new binding. */
  readonly row: Binding | undefined;
  /** Where the phone was before, when it is on another flow now. */
  readonly left: Flow | undefined;
}

export interface ContactChanges {
  readonly kind: "changes";
  readonly changes: readonly ContactChange[];
}

/** One change for each row; a row that some contact adds stays bound, in whichever order the contacts stand. 423 for a brief expiration. */
export function contactChanges(
  register: Registration,
  contacts: readonly Contact[],
  rows: readonly Binding[],
  settings: RegistrationSettings,
): ContactChanges | Rejection {
  const added = new Map<string, ContactChange>();
  const removed = new Map<string, ContactChange>();
  for (const contact of contacts) {
    const requested = contact.expires ?? register.expires ?? settings.defaultExpires;
    if (isTooBrief(requested, settings)) return tooBrief(settings);
    if (requested === 0) {
      for (const row of removedBy(register, contact, rows)) removed.set(row.id, removal(register, row));
      continue;
    }
    const binding = bind(register, contact, requested, settings);
    const row = rows.find(({ id }) => id === binding.id);
    added.set(binding.id, {
      binding: { ...binding, registeredAt: since(row) },
      row,
      left: leftFlow(row, binding),
    });
    for (const old of movedFrom(register, binding, rows))
      removed.set(old.id, { ...removal(register, old), left: leftFlow(old, binding) });
  }
  for (const id of added.keys()) removed.delete(id);
  return { kind: "changes", changes: [...added.values(), ...removed.values()] };
}

/** A flow that only the row's Contact named was never heard from its phone, and may be another phone's behind the same address (ADR 32). */
const leftFlow = (row: Binding | undefined, { flow }: Binding): Flow | undefined =>
  row === undefined || row.ownerNode === "" || row.flow.key === flow.key ? undefined : row.flow;

/** §10.3 step 7: never below an hour. */
const isTooBrief = (requested: Seconds, { minExpires }: RegistrationSettings): boolean =>
  requested > 0 && requested < minExpires && requested < 3600;

const tooBrief = ({ minExpires }: RegistrationSettings): Rejection =>
  reject(423, "Interval Too Brief", `Min-Expires: ${minExpires}\r\n`);

function bind(
  register: Registration,
  contact: Contact,
  requested: Seconds,
  settings: RegistrationSettings,
): Binding {
  const { flow, isBehindNat } = contactPlace(contact, register.flow, register.isDirect);
  const longest = isBehindNat ? Math.min(maxExpiresBehindNat, settings.maxExpires) : settings.maxExpires;
  return {
    ...proof(register),
    id: contactId(register.aor, contact, register.flow, isBehindNat),
    contact: contact.uri,
    q: contact.q ?? 1000,
    expiresIn: Math.min(requested, longest),
    flow,
    isBehindNat,
    ownerNode: flow.key === register.flow.key ? register.node : "",
    userAgent: register.userAgent,
    instance: contact.instance,
    regId: contact.regId,
    registeredAt: 0,
  };
}

/** The row as it is removed by this request: its Call-ID, CSeq and nonce still count. */
export const removal = (register: Registration, row: Binding): ContactChange => ({
  binding: { ...row, ...proof(register), expiresIn: 0 },
  row,
  left: undefined,
});

/**
 * The binding of this contact from this source, where there is one. Otherwise what an equal URI bound from another source address, or with
 * other parameters: of the same Call-ID where there is such a row, else all. Another phone's instance never matches.
 */
function removedBy(register: Registration, contact: Contact, rows: readonly Binding[]): readonly Binding[] {
  const { aor, flow, callId } = register;
  const { isBehindNat } = contactPlace(contact, flow, register.isDirect);
  const id = contactId(aor, contact, flow, isBehindNat);
  const own = rows.find((row) => row.id === id);
  if (own !== undefined && (isCurrent(own) || isOf(register, own))) return [own];
  const equal = equalRows(
    contact.uri,
    rows.filter((row) => mayBeOne(row, contact)),
  );
  const repeated = equal.filter((row) => !isCurrent(row) && isOf(register, row));
  if (repeated.length > 0) return repeated;
  const current = equal.filter(isCurrent);
  const ofCall = current.filter((row) => row.callId === callId);
  return ofCall.length > 0 || own !== undefined ? ofCall : current;
}

/** Rows with this very URI, else those with one that §19.1.4 calls equal. */
function equalRows(uri: string, rows: readonly Binding[]): readonly Binding[] {
  const canonical = canonicalUri(uri);
  const same = rows.filter((row) => canonicalUri(row.contact) === canonical);
  return same.length > 0 ? same : rows.filter((row) => areEqualUris(row.contact, uri));
}

/** Two instances are two phones, and two reg-ids of one instance two bindings (RFC 5626 §6). */
const mayBeOne = (row: Binding, { instance, regId }: Contact): boolean =>
  row.instance === undefined ||
  instance === undefined ||
  (row.instance === instance && (row.regId === 0 || regId === 0));

/** The same contact of the same Call-ID from another source address: its phone has moved, and is not there any more. */
const movedFrom = (
  { callId }: Registration,
  { id, contact, instance }: Binding,
  rows: readonly Binding[],
): readonly Binding[] =>
  rows.filter(
    (row) =>
      row.id !== id &&
      isCurrent(row) &&
      row.callId === callId &&
      row.instance === undefined &&
      instance === undefined &&
      canonicalUri(row.contact) === canonicalUri(contact),
  );

const isOf = ({ callId, cseq }: Registration, row: Binding): boolean =>
  row.callId === callId && row.cseq === cseq;

/** What had expired or was removed registers anew. */
const since = (row: Binding | undefined): number =>
  row !== undefined && isCurrent(row) ? row.registeredAt : 0;

const proof = ({ callId, cseq, nonce }: Registration) => ({
  callId,
  cseq,
  nonceAt: nonce.at,
  nonceCount: nonce.count,
});
