/**
 * Changes of bindings as bytes, for the copies of the peers (docs/adr/0045). JSON without names: the built-in parser is faster than any of our
 * own, and the peers are nodes of the same program. Its first number is the format: a node of another version refuses one that it does not
 * know. Pure.
 */
import { parseFlowKey } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { Aor } from "./account.ts";
import type { Binding } from "./binding.ts";
import { maxChangeBytes } from "./copy-protocol.ts";

/** The bindings of an address of record after a change. */
export interface AnnouncedChange {
  readonly aor: Aor;
  readonly version: number;
  /** How long ago the rows were read from the database that the bindings were made from. */
  readonly age: Ms;
  /** All of them, with removed and expired ones; undefined: they are not known, and lower versions must be read again. */
  readonly bindings: readonly Binding[] | undefined;
}

const format = 1;

/** As few parts as `maxChangeBytes` allows; none without a change. Bindings that are longer than a part are not included. */
export function encodeChanges(changes: readonly AnnouncedChange[]): readonly Uint8Array[] {
  const parts: string[][] = [];
  let size = 0;
  for (const change of changes) {
    const whole = textOf(change);
    const text = Buffer.byteLength(whole) > maxPart ? textOf({ ...change, bindings: undefined }) : whole;
    const bytes = Buffer.byteLength(text) + 1;
    const last = parts[parts.length - 1];
    if (last === undefined || size + bytes > maxPart) {
      parts.push([text]);
      size = bytes;
    } else {
      last.push(text);
      size += bytes;
    }
  }
  return parts.map((texts) => Buffer.from(`[${format},[${texts.join(",")}]]`));
}

/** Leaves room for the brackets around the changes. */
const maxPart = maxChangeBytes - 16;

const textOf = ({ aor, version, age, bindings }: AnnouncedChange): string =>
  JSON.stringify([aor.username, aor.domain, version, Math.round(age), bindings?.map(valuesOf) ?? null]);

const valuesOf = (binding: Binding) => [
  binding.id,
  binding.contact,
  binding.q,
  binding.callId,
  binding.cseq,
  Math.round(binding.expiresIn * 1000) / 1000,
  binding.flow.key,
  binding.isBehindNat,
  binding.ownerNode,
  binding.userAgent,
  binding.instance ?? null,
  binding.regId,
  binding.nonceAt,
  binding.nonceCount,
  binding.registeredAt,
  binding.refreshedAt ?? null,
];

/** Undefined: the bytes are not of this format. */
export function decodeChanges(bytes: Uint8Array): readonly AnnouncedChange[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (!Array.isArray(value) || value[0] !== format || !Array.isArray(value[1])) return undefined;
    return value[1].map(changeOf);
  } catch (error) {
    if (error instanceof Unreadable || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

function changeOf(value: unknown): AnnouncedChange {
  const values = listOf(value);
  const bindings = values[4];
  return {
    aor: { username: textAt(values, 0), domain: textAt(values, 1) },
    version: numberAt(values, 2),
    age: numberAt(values, 3),
    bindings: bindings === null ? undefined : listOf(bindings).map(bindingOf),
  };
}

function bindingOf(value: unknown): Binding {
  const values = listOf(value);
  const flow = parseFlowKey(textAt(values, 6));
  if (flow === undefined) throw new Unreadable();
  const binding: Binding = {
    id: textAt(values, 0),
    contact: textAt(values, 1),
    q: numberAt(values, 2),
    callId: textAt(values, 3),
    cseq: numberAt(values, 4),
    expiresIn: numberAt(values, 5),
    flow,
    isBehindNat: values[7] === true,
    ownerNode: textAt(values, 8),
    userAgent: textAt(values, 9),
    instance: values[10] === null ? undefined : textAt(values, 10),
    regId: numberAt(values, 11),
    nonceAt: numberAt(values, 12),
    nonceCount: numberAt(values, 13),
    registeredAt: numberAt(values, 14),
  };
  return values[15] === null ? binding : { ...binding, refreshedAt: numberAt(values, 15) };
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new Unreadable();
}

function textAt(values: readonly unknown[], index: number): string {
  const value = values[index];
  if (typeof value === "string") return value;
  throw new Unreadable();
}

function numberAt(values: readonly unknown[], index: number): number {
  const value = values[index];
  if (typeof value === "number") return value;
  throw new Unreadable();
}
