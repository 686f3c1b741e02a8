/** Plans which statuses get new registration counts, in which order (ADR 36): users that appeared or went first, then the longest waiting ones. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Ms } from "../runtime/clock.ts";
import type { ObjectKey } from "../runtime/object.ts";
import { ownValue } from "../runtime/own-value.ts";

export type Figures = Readonly<Record<string, boolean | number | string>>;

export interface ObjectFigures {
  readonly kind: "SipUser" | "SipDomain";
  readonly key: ObjectKey;
  readonly uid: string;
  /** The figures in the status; undefined: it has none. */
  readonly before: Figures | undefined;
  readonly after: Figures;
}

/** The minimum time between two writes for an object, unless a user appeared or went. */
export const perObject: Ms = 300_000;

/** The status fields of these figures, by kind. No other writer may send them. */
export const figureFields = {
  SipUser: ["registered", "contacts", "registeredSince"],
  SipDomain: ["users", "registrations"],
} as const;

/** In the order of writing. `written`: the time of the last write by uid, in ms of the clock of `now`. */
export function planFigures(
  all: readonly ObjectFigures[],
  written: ReadonlyMap<string, number>,
  now: number,
): readonly ObjectFigures[] {
  const last = ({ uid }: ObjectFigures): number => written.get(uid) ?? Number.NEGATIVE_INFINITY;
  const due = all.filter((one) => hasChanged(one) && (isUrgent(one) || now - last(one) >= perObject));
  return due.sort((one, other) => Number(isUrgent(other)) - Number(isUrgent(one)) || last(one) - last(other));
}

/** A user appeared or went, or the number of users of a domain changed. */
const isUrgent = (one: ObjectFigures): boolean =>
  isFlip(one) || (one.kind === "SipDomain" && one.before?.["users"] !== one.after["users"]);

/** Whether a user appeared or went: a number or flag changed from zero or false to another value, or back. */
export function isFlip({ before = {}, after }: ObjectFigures): boolean {
  const counted = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...counted].some((field) => Boolean(ownValue(before, field)) !== Boolean(ownValue(after, field)));
}

/** A user that never registered gets no figures. */
export const hasChanged = ({ kind, before, after }: ObjectFigures): boolean =>
  before === undefined && kind === "SipUser"
    ? after["registered"] === true
    : !isDeepStrictEqual(before, after);
