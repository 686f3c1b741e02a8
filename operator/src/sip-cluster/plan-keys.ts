/**
 * The ring of keys that the nodes share (design-sip, rule 18). A ring is made once. A rotation is three steps, each taken only when every
 * live node has seen the one before:
 *
 *     1 the new key verifies          signFrom: never
 *     2 the new key signs             signFrom: now
 *     3 the others end                dropAfter: now + the longest dialog; what is past is taken out later
 *
 * Pure.
 */
import type { Manifest } from "../runtime/manifests.ts";
import { longestDialog } from "./plan-addresses.ts";

export interface RingKey {
  readonly id: string;
  /** Base64 of 32 bytes. */
  readonly key: string;
  /** Milliseconds since 1970, as all of these. */
  readonly verifyFrom: number;
  readonly signFrom: number;
  readonly dropAfter?: number;
}

/** The text that asked for the last rotation. */
export const rotationAnnotation = "sip.strowger.dev/rotate-keys";

export type KeyPlan =
  | { readonly kind: "keep"; readonly ring: string; readonly isRotating: boolean }
  /** `says`: for an event; absent where the step is none that people wait for. */
  | {
      readonly kind: "create" | "write";
      readonly ring: string;
      readonly rotation: string | undefined;
      readonly says?: string;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "broken"; readonly why: string };

export interface KeySituation {
  /** The Secret as it is now. */
  readonly secret: Manifest | undefined;
  /** The text that asks for new keys. */
  readonly rotation: string | undefined;
  /** A random key, in case one is needed. */
  readonly fresh: { readonly id: string; readonly key: string };
  readonly areNodesLive: boolean;
  /** Every live node goes by the configuration and keys that are written now. */
  readonly haveAllSeen: boolean;
  readonly now: number;
}

/** JSON has no infinity. */
const never = Number.MAX_SAFE_INTEGER;

export function planKeys({ secret, rotation, fresh, areNodesLive, haveAllSeen, now }: KeySituation): KeyPlan {
  if (secret === undefined) {
    if (areNodesLive) return { kind: "missing" };
    return { kind: "create", ring: ringText([{ ...fresh, verifyFrom: 0, signFrom: 0 }]), rotation };
  }
  const text = ringOf(secret);
  const keys = parseRing(text);
  if (typeof keys === "string") return { kind: "broken", why: keys };
  const served = secret.metadata.annotations?.[rotationAnnotation];
  const write = (ring: readonly RingKey[], asked: string | undefined, says?: string): KeyPlan => ({
    kind: "write",
    ring: ringText(ring),
    rotation: asked,
    ...(says === undefined ? {} : { says }),
  });
  const waiting = keys.find(({ signFrom }) => signFrom === never);
  const newest = keys.reduce((a, b) => (b.signFrom > a.signFrom ? b : a));
  const stays = keys.filter((key) => key !== newest && key.dropAfter === undefined);
  if (waiting !== undefined || stays.length > 0) {
    if (!haveAllSeen) return { kind: "keep", ring: text, isRotating: true };
    if (waiting !== undefined) {
      const signing = keys.map((key) => (key === waiting ? { ...key, signFrom: now } : key));
      return write(signing, served, `rotation of keys, step 2 of 3: nodes sign with key ${waiting.id}`);
    }
    const ending = keys.map((key) =>
      stays.includes(key) ? { ...key, dropAfter: now + longestDialog } : key,
    );
    return write(
      ending,
      served,
      `rotation of keys, step 3 of 3: older keys end in ${longestDialog / 3_600_000} hours`,
    );
  }
  if (rotation !== undefined && rotation !== served) {
    const introduced = [...keys, { ...fresh, verifyFrom: 0, signFrom: never }];
    return write(
      introduced,
      rotation,
      `rotation of keys, step 1 of 3: nodes learn to verify with key ${fresh.id}`,
    );
  }
  const current = keys.filter(({ dropAfter = never }) => dropAfter > now);
  if (current.length < keys.length) return write(current, served);
  return { kind: "keep", ring: text, isRotating: false };
}

const ringText = (keys: readonly RingKey[]): string => `${JSON.stringify({ keys }, undefined, 2)}\n`;

function ringOf(secret: Manifest): string {
  const { data } = secret as { readonly data?: Readonly<Record<string, string>> };
  return Buffer.from(data?.["keys.json"] ?? "", "base64").toString("utf8");
}

/** The keys, or what is wrong with them. */
function parseRing(text: string): readonly RingKey[] | string {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    if (!Array.isArray(keys) || keys.length === 0) return "keys.json has no list of keys";
    const at = keys.findIndex((key) => !isRingKey(key));
    return at < 0
      ? (keys as RingKey[])
      : `keys.json: keys[${at}] is no key; expected id, key, verifyFrom and signFrom`;
  } catch {
    return "keys.json is absent or no JSON";
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
