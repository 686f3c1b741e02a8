/**
 * Plans the key ring that the nodes share (design-sip rule 18). A ring is created once. A rotation has three steps. Each step waits until
 * every live node has applied the step before:
 *
 *     1 the new key verifies          signFrom: never
 *     2 the new key signs             signFrom: now
 *     3 the old keys expire           dropAfter: now + the longest dialog; expired keys are removed later
 *
 * Pure.
 */
import type { Manifest } from "../runtime/manifests.ts";
import { longestDialog } from "./plan-addresses.ts";

export interface RingKey {
  readonly id: string;
  /** Base64 of 32 bytes. */
  readonly key: string;
  /** Milliseconds since 1970, like the next two. */
  readonly verifyFrom: number;
  readonly signFrom: number;
  readonly dropAfter?: number;
}

/** On the Secret: the text that requested the last rotation. */
export const rotationAnnotation = "sip.strowger.dev/rotate-keys";

export type KeyPlan =
  | { readonly kind: "keep"; readonly ring: string; readonly isRotating: boolean }
  /** `message`: the text of an Event; absent: no Event for this step. */
  | {
      readonly kind: "create" | "write";
      readonly ring: string;
      readonly rotation: string | undefined;
      readonly message?: string;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "broken"; readonly why: string };

export interface KeysInput {
  /** The Secret in Kubernetes. */
  readonly secret: Manifest | undefined;
  /** The text of the annotation that requests new keys. */
  readonly rotation: string | undefined;
  /** A random key, for the case that a new key is needed. */
  readonly fresh: { readonly id: string; readonly key: string };
  readonly areNodesLive: boolean;
  /** Every live node has applied the present configuration and keys. */
  readonly haveAllApplied: boolean;
  readonly now: number;
}

/** JSON has no infinity. */
const never = Number.MAX_SAFE_INTEGER;

export function planKeys({ secret, rotation, fresh, areNodesLive, haveAllApplied, now }: KeysInput): KeyPlan {
  if (secret === undefined) {
    if (areNodesLive) return { kind: "missing" };
    return { kind: "create", ring: ringText([{ ...fresh, verifyFrom: 0, signFrom: 0 }]), rotation };
  }
  const text = ringOf(secret);
  const keys = parseRing(text);
  if (typeof keys === "string") return { kind: "broken", why: keys };
  const lastRotation = secret.metadata.annotations?.[rotationAnnotation];
  const write = (ring: readonly RingKey[], requested: string | undefined, message?: string): KeyPlan => ({
    kind: "write",
    ring: ringText(ring),
    rotation: requested,
    ...(message === undefined ? {} : { message }),
  });
  const waiting = keys.find(({ signFrom }) => signFrom === never);
  const newest = keys.reduce((a, b) => (b.signFrom > a.signFrom ? b : a));
  const older = keys.filter((key) => key !== newest && key.dropAfter === undefined);
  if (waiting !== undefined || older.length > 0) {
    if (!haveAllApplied) return { kind: "keep", ring: text, isRotating: true };
    if (waiting !== undefined) {
      const signing = keys.map((key) => (key === waiting ? { ...key, signFrom: now } : key));
      return write(signing, lastRotation, `rotation of keys, step 2 of 3: nodes sign with key ${waiting.id}`);
    }
    const ending = keys.map((key) =>
      older.includes(key) ? { ...key, dropAfter: now + longestDialog } : key,
    );
    return write(
      ending,
      lastRotation,
      `rotation of keys, step 3 of 3: older keys expire in ${longestDialog / 3_600_000} hours`,
    );
  }
  if (rotation !== undefined && rotation !== lastRotation) {
    const introduced = [...keys, { ...fresh, verifyFrom: 0, signFrom: never }];
    return write(
      introduced,
      rotation,
      `rotation of keys, step 1 of 3: nodes learn to verify with key ${fresh.id}`,
    );
  }
  const current = keys.filter(({ dropAfter = never }) => dropAfter > now);
  if (current.length < keys.length) return write(current, lastRotation);
  return { kind: "keep", ring: text, isRotating: false };
}

const ringText = (keys: readonly RingKey[]): string => `${JSON.stringify({ keys }, undefined, 2)}\n`;

function ringOf(secret: Manifest): string {
  const { data } = secret as { readonly data?: Readonly<Record<string, string>> };
  return Buffer.from(data?.["keys.json"] ?? "", "base64").toString("utf8");
}

/** Returns the keys, or a description of the problem. */
function parseRing(text: string): readonly RingKey[] | string {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    if (!Array.isArray(keys) || keys.length === 0) return "keys.json has no list of keys";
    const at = keys.findIndex((key) => !isRingKey(key));
    return at < 0
      ? (keys as RingKey[])
      : `keys.json: keys[${at}] is not a key; expected id, key, verifyFrom and signFrom`;
  } catch {
    return "keys.json is absent or not JSON";
  }
}

function isRingKey(value: unknown): boolean {
  const { id, key, verifyFrom, signFrom, dropAfter } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isTime = (time: unknown): boolean => Number.isInteger(time);
  return (
    typeof id === "string" &&
    typeof key === "string" &&
    Buffer.from(key, "base64").length >= 32 &&
    isTime(verifyFrom) &&
    isTime(signFrom) &&
    (dropAfter === undefined || isTime(dropAfter))
  );
}
