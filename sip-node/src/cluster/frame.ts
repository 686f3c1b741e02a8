/**
 * What nodes say to each other, one frame a datagram, sealed (design-sip, "Words" and rules 3 to 9).
 *
 *   byte 0       kind
 *   1 to 12      node id of the sender
 *   13 to 16     number: an answer carries the number of what it answers
 *   17 ...       body
 *   last 18      seal over all before it
 */
import { type Flow, parseFlowKey } from "../wire/flow.ts";
import { type Seal, sealLength } from "../wire/seal.ts";

/** The kinds of frames and the byte that stands for each. */
export const frameKinds = {
  /** I live, and this is my standing; answered with yours and how many transactions you hold for me. */
  ping: 1,
  /** I heard these flows; answered with how long ago you did, flow by flow, then for how long they are known phones' (0: not). */
  heard: 3,
  /** Who heard this flow? Answered likewise, nothing changes hands. */
  whoHeard: 4,
  /** A response for a transaction of yours. */
  response: 5,
  /** Send these bytes to this flow if it is yours. */
  send: 6,
  /** A request that may belong to a transaction of yours. */
  offer: 7,
  /** Unsigned 32-bit words. */
  answer: 8,
  /** The phones of these flows registered from others; answered with nothing. */
  moved: 9,
  /** The numbers of response frames taken. */
  receipt: 10,
  /** I drain: serve this new request that I heard. */
  hand: 11,
} as const;

/** What a ping and its answer say of their sender: whether new requests find it serving, draining, or gone. */
export const standings = { serves: 0, drains: 1, left: 2 } as const;
export type Standing = keyof typeof standings;

/** The answer of who takes what it was given. */
export const taken = 1;

export type FrameKind = keyof typeof frameKinds;

export interface Frame {
  readonly kind: FrameKind;
  readonly from: string;
  readonly number: number;
  readonly body: Buffer;
}

const kindOf = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([kind, byte]) => [byte, kind as FrameKind]),
);
const headLength = 17;

export function encodeFrame(frame: Frame, seal: Seal): Buffer {
  const end = headLength + frame.body.length;
  const bytes = Buffer.allocUnsafe(end + sealLength);
  bytes[0] = frameKinds[frame.kind];
  bytes.write(frame.from, 1, 12, "latin1");
  bytes.writeUInt32BE(frame.number, 13);
  frame.body.copy(bytes, headLength);
  bytes.write(seal.seal(bytes.subarray(0, end)), end, "latin1");
  return bytes;
}

/** Undefined for anything that no node of this cluster sent. */
export function decodeFrame(bytes: Buffer, seal: Seal): Frame | undefined {
  const end = bytes.length - sealLength;
  const kind = kindOf.get(bytes[0] ?? 0);
  if (kind === undefined || end < headLength) return undefined;
  if (!seal.isSealed(bytes.subarray(0, end), bytes.toString("latin1", end))) return undefined;
  return {
    kind,
    from: bytes.toString("latin1", 1, 13),
    number: bytes.readUInt32BE(13),
    body: bytes.subarray(headLength, end),
  };
}

/** A message with the flow it is for or came from: one byte of length, the flow's key, the bytes. */
export function packMessage(flow: Flow, bytes: Uint8Array): Buffer {
  const body = Buffer.allocUnsafe(1 + flow.key.length + bytes.length);
  body[0] = flow.key.length;
  body.write(flow.key, 1, "latin1");
  body.set(bytes, 1 + flow.key.length);
  return body;
}

export function unpackMessage(body: Buffer): { readonly flow: Flow; readonly bytes: Buffer } | undefined {
  const end = 1 + (body[0] ?? 0);
  const flow = parseFlowKey(body.toString("latin1", 1, end));
  return flow === undefined ? undefined : { flow, bytes: body.subarray(end) };
}

/** Flow keys, one a line. */
export const packFlows = (flows: readonly Flow[]): Buffer =>
  Buffer.from(flows.map(({ key }) => key).join("\n"), "latin1");

/** In the order of the frame; undefined for a key that this node cannot read. */
export const unpackFlows = (body: Buffer): (Flow | undefined)[] =>
  body.length === 0 ? [] : body.toString("latin1").split("\n").map(parseFlowKey);

export function packWords(words: readonly number[]): Buffer {
  const body = Buffer.allocUnsafe(words.length * 4);
  words.forEach((word, i) => {
    body.writeUInt32BE(Math.min(word, 0xffff_ffff), i * 4);
  });
  return body;
}

export const packStanding = (standing: Standing): Buffer => packWords([standings[standing]]);

export const standingOf = (word: number | undefined): Standing =>
  word === standings.left ? "left" : word === standings.drains ? "drains" : "serves";

export const unpackWords = (body: Buffer): number[] =>
  Array.from({ length: Math.floor(body.length / 4) }, (_, i) => body.readUInt32BE(i * 4));
