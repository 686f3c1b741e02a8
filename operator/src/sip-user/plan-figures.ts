/** Which statuses get new figures, and in which order (ADR 36): who appears or goes first, then whoever waited longest. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Ms } from "../runtime/clock.ts";
import type { ObjectKey } from "../runtime/object.ts";
import { ownValue } from "../runtime/own-value.ts";

export type Figures = Readonly<Record<string, boolean | number | string>>;

export interface ObjectFigures {
  readonly kind: "SipUser" | "SipDomain";
  readonly key: ObjectKey;
  readonly uid: string;
  /** As the status has them; undefined: it has none. */
  readonly before: Figures | undefined;
  readonly after: Figures;
}

/** An object's mere numbers are written once in this time. */
export const perObject: Ms = 300_000;

/** Fields of the status that these figures are, by kind; no other writer may send them. */
export const figureFields = {
  SipUser: ["registered", "contacts", "registeredSince"],
  SipDomain: ["users", "registrations"],
} as const;

/** In the order of writing. `written`: when an object's figures were last written, by uid, in ms of the clock of `now`. */
export function planFigures(
  all: readonly ObjectFigures[],
  written: ReadonlyMap<string, number>,
  now: number,
): readonly ObjectFigures[] {
  const last = ({ uid }: ObjectFigures): number => written.get(uid) ?? Number.NEGATIVE_INFINITY;
  const due = all.filter((one) => saysSomethingNew(one) && (isUrgent(one) || now - last(one) >= perObject));
  return due.sort((one, other) => Number(isUrgent(other)) - Number(isUrgent(one)) || last(one) - last(other));
}

/** Somebody appeared or went, or a domain has another number of users than its status says. */
const isUrgent = (one: ObjectFigures): boolean =>
  isFlip(one) || (one.kind === "SipDomain" && one.before?.["users"] !== one.after["users"]);

/** Whether somebody appeared or went: a number or flag went from nothing to something or back. */
export function isFlip({ before = {}, after }: ObjectFigures): boolean {
  const counted = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...counted].some((field) => Boolean(ownValue(before, field)) !== Boolean(ownValue(after, field)));
}

/** A user who never registered needs no line that says so. */
const saysSomethingNew = ({ kind, before, after }: ObjectFigures): boolean =>
  before === undefined && kind === "SipUser"
    ? after["registered"] === true
    : !isDeepStrictEqual(before, after);
