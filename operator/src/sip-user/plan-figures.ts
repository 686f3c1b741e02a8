/** Which statuses get new figures, and in which order (design: rule 8): who appears or goes first, then whoever waited longest. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Ms } from "../runtime/clock.ts";
import type { ObjectKey } from "../runtime/object.ts";
import { ownValue } from "../runtime/own-value.ts";

export type Figures = Readonly<Record<string, boolean | number | string>>;

export interface Figured {
  readonly kind: "SipUser" | "SipDomain";
  readonly key: ObjectKey;
  readonly uid: string;
  /** As the status has them; undefined: it has none. */
  readonly before: Figures | undefined;
  readonly after: Figures;
}

/** When an object's figures were last written, and when last because somebody appeared or went; in ms of any clock. */
export interface LastWrite {
  readonly any: number;
  readonly flip: number;
}

/** An object's status gets new figures once in this time. */
export const perObject: Ms = 300_000;

/** Fields of the status that these figures are, by kind; no other writer may send them. */
export const figureFields = {
  SipUser: ["registered", "contacts", "registeredSince"],
  SipDomain: ["users", "registrations"],
} as const;

/** In the order of writing. A first change of who is there does not wait for an earlier change of mere numbers. */
export function planFigures(
  all: readonly Figured[],
  last: ReadonlyMap<string, LastWrite>,
  now: number,
): readonly Figured[] {
  const lastOf = ({ uid }: Figured): LastWrite => last.get(uid) ?? never;
  const due = all.filter((one) => {
    if (!saysSomethingNew(one)) return false;
    const { any, flip } = lastOf(one);
    return now - any >= perObject || (isFlip(one) && now - flip >= perObject);
  });
  return due.sort(
    (one, other) => Number(isFlip(other)) - Number(isFlip(one)) || lastOf(one).any - lastOf(other).any,
  );
}

/** Whether somebody appeared or went: a number or flag went from nothing to something or back. */
export function isFlip({ before = {}, after }: Figured): boolean {
  const counted = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...counted].some((field) => Boolean(ownValue(before, field)) !== Boolean(ownValue(after, field)));
}

/** A user who never registered needs no line that says so. */
const saysSomethingNew = ({ kind, before, after }: Figured): boolean =>
  before === undefined && kind === "SipUser"
    ? after["registered"] === true
    : !isDeepStrictEqual(before, after);

const never: LastWrite = { any: Number.NEGATIVE_INFINITY, flip: Number.NEGATIVE_INFINITY };
