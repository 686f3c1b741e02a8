/**
 * The changes that the contacts of a REGISTER make to the rows of its address of record (RFC 3261 §10.3 step 7). A contact adds or refreshes
 * one binding, or removes rows. docs/adr/0023 says which rows are one binding and which rows a removal matches. Pure.
 */
import type { RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import { contactId } from "../location/contact-id.ts";
import { flowOfContact } from "../location/flow-of-contact.ts";
import { areEqualUris, canonicalUri } from "../wire/compare-uris.ts";
import type { Contact } from "../wire/contact.ts";
import { type Flow, isReliable } from "../wire/flow.ts";
import type { Seconds } from "../wire/units.ts";
import { maxExpiresBehindNat, type Registration } from "./registration.ts";
import { type Rejection, reject } from "../wire/rejection.ts";

export interface ContactChange {
  /** The binding to write; expired: it is removed. */
  readonly binding: Binding;
  /** The row that it changes; undefined: the binding is new. */
  readonly row: Binding | undefined;
  /** The flow that the phone has moved from; undefined: it has not moved. */
  readonly formerFlow: Flow | undefined;
}

export interface ContactChanges {
  readonly kind: "changes";
  readonly changes: readonly ContactChange[];
}

/**
 * One change for each row. A row that one contact adds and another one removes stays bound, in any order of the contacts. 423 for an
 * expiration that is too brief.
 */
export function planContactChanges(
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
      for (const row of rowsRemovedBy(register, contact, rows)) removed.set(row.id, removal(register, row));
      continue;
    }
    const binding = buildBinding(register, contact, requested, settings, rows);
    const row = rows.find(({ id }) => id === binding.id);
    added.set(binding.id, {
      binding: { ...binding, registeredAt: registeredSince(row) },
      row,
      formerFlow: formerFlow(row, binding),
    });
    for (const old of rowsOfMovedPhone(register, binding, rows))
      removed.set(old.id, { ...removal(register, old), formerFlow: formerFlow(old, binding) });
  }
  for (const id of added.keys()) removed.delete(id);
  return { kind: "changes", changes: [...added.values(), ...removed.values()] };
}

/**
 * The flow of the row, if the phone is on another one now. A row without an owner has its flow from its Contact: no datagram of this phone
 * arrived on it, and it may be another phone's behind the same address (ADR 32).
 */
const formerFlow = (row: Binding | undefined, { flow }: Binding): Flow | undefined =>
  row === undefined || row.ownerNode === "" || row.flow.key === flow.key ? undefined : row.flow;

/** §10.3 step 7: an hour or more is never too brief. */
const isTooBrief = (requested: Seconds, { minExpires }: RegistrationSettings): boolean =>
  requested > 0 && requested < minExpires && requested < 3600;

const tooBrief = ({ minExpires }: RegistrationSettings): Rejection =>
  reject(423, "Interval Too Brief", `Min-Expires: ${minExpires}\r\n`);

function buildBinding(
  register: Registration,
  contact: Contact,
  requested: Seconds,
  settings: RegistrationSettings,
  rows: readonly Binding[],
): Binding {
  const { flow, isBehindNat } = flowOfContact(contact, register.flow, register.isDirect);
  const mayEndSoon = isBehindNat && !isReliable[flow.transport];
  const maxExpires = mayEndSoon ? Math.min(maxExpiresBehindNat, settings.maxExpires) : settings.maxExpires;
  return {
    ...sequenceOf(register),
    id:
      knownId(register, contact, isBehindNat, rows) ??
      contactId(register.aor, contact, register.flow, isBehindNat),
    contact: contact.uri,
    q: contact.q ?? 1000,
    expiresIn: Math.min(requested, maxExpires),
    flow,
    isBehindNat,
    ownerNode: flow.key === register.flow.key ? register.node : "",
    userAgent: register.userAgent,
    instance: contact.instance,
    regId: contact.regId,
    registeredAt: 0,
  };
}

/**
 * The id of a row that this exchange derived from the same contact: a refresh has one. To derive it again takes 5 µs. Another tool's row has no
 * owner, and an id of its own.
 */
const knownId = (
  { flow }: Registration,
  contact: Contact,
  isBehindNat: boolean,
  rows: readonly Binding[],
): string | undefined =>
  rows.find(
    (row) =>
      row.contact === contact.uri &&
      row.ownerNode !== "" &&
      row.instance === contact.instance &&
      row.regId === contact.regId &&
      row.isBehindNat === isBehindNat &&
      row.flow.address === flow.address,
  )?.id;

/** Removes the row by this request. Call-ID, CSeq and nonce of the request are stored, because later requests are compared with them. */
export const removal = (register: Registration, row: Binding): ContactChange => ({
  binding: { ...row, ...sequenceOf(register), expiresIn: 0 },
  row,
  formerFlow: undefined,
});

/**
 * The binding of this contact from this source, if there is one. Otherwise the bindings of an equal URI from another source address or with
 * other parameters: those of the same Call-ID, if there are any, else all. A binding of another instance never matches.
 */
function rowsRemovedBy(
  register: Registration,
  contact: Contact,
  rows: readonly Binding[],
): readonly Binding[] {
  const { aor, flow, callId } = register;
  const { isBehindNat } = flowOfContact(contact, flow, register.isDirect);
  const id = contactId(aor, contact, flow, isBehindNat);
  const own = rows.find((row) => row.id === id);
  if (own !== undefined && (isCurrent(own) || isOfRequest(register, own))) return [own];
  const equal = rowsWithEqualUri(
    contact.uri,
    rows.filter((row) => mayBeSameBinding(row, contact)),
  );
  const repeated = equal.filter((row) => !isCurrent(row) && isOfRequest(register, row));
  if (repeated.length > 0) return repeated;
  const current = equal.filter(isCurrent);
  const ofSameCallId = current.filter((row) => row.callId === callId);
  return ofSameCallId.length > 0 || own !== undefined ? ofSameCallId : current;
}

/** Rows with the same canonical URI; if there are none, rows whose URI is equal by §19.1.4. */
function rowsWithEqualUri(uri: string, rows: readonly Binding[]): readonly Binding[] {
  const canonical = canonicalUri(uri);
  const same = rows.filter((row) => canonicalUri(row.contact) === canonical);
  return same.length > 0 ? same : rows.filter((row) => areEqualUris(row.contact, uri));
}

/** Two instances are two phones. Two reg-ids of one instance are two bindings (RFC 5626 §6). */
const mayBeSameBinding = (row: Binding, { instance, regId }: Contact): boolean =>
  row.instance === undefined ||
  instance === undefined ||
  (row.instance === instance && (row.regId === 0 || regId === 0));

/** Rows with the same contact and the same Call-ID from another source address: the phone has moved from there. */
const rowsOfMovedPhone = (
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

const isOfRequest = ({ callId, cseq }: Registration, row: Binding): boolean =>
  row.callId === callId && row.cseq === cseq;

/** A binding that has expired or was removed starts a new registration. */
const registeredSince = (row: Binding | undefined): number =>
  row !== undefined && isCurrent(row) ? row.registeredAt : 0;

const sequenceOf = ({ callId, cseq, nonce }: Registration) => ({
  callId,
  cseq,
  nonceAt: nonce.at,
  nonceCount: nonce.count,
});
