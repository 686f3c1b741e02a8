/**
 * The protocol between nodes: one frame in each datagram, sealed (design-sip, "Words" and rules 3 to 9).
 *
 *   byte 0       kind
 *   1 to 12      node id of the sender
 *   13 to 16     number: an answer has the number of its request
 *   17 ...       body
 *   last 18      seal over all bytes before it
 *
 * `frame-handlers.ts` has the handler of each kind.
 */
import { type Flow, parseFlowKey } from "../wire/flow.ts";
import { type Seal, sealLength } from "../wire/seal.ts";

/** The kinds of frames and their bytes. */
export const frameKinds = {
  /**
   * The sender is alive and has this status, and asks for a lease. Answer: the receiver's status, how many transactions it holds for the
   * sender, and its reply about the lease (`leases/lease-messages.ts`).
   */
  ping: 1,
  /**
   * The sender received from these flows and owns them now. Answer: for each flow, the milliseconds since the receiver received from it;
   * then, for each flow, for how many milliseconds it stays authenticated (0: it is not).
   */
  announceFlows: 3,
  /** Question for the owners of these flows. Answer: for each flow, the milliseconds since the receiver received from it. */
  findOwner: 4,
  /** A response to a transaction of the receiver. It is acknowledged later. */
  response: 5,
  /** A message to a phone. The receiver sends it if it owns the flow, and acknowledges it later. Otherwise it answers 0 at once. */
  sendToPhone: 6,
  /** A request that may belong to a transaction of the receiver. Answer: `accepted` or 0. */
  offer: 7,
  /** The answer to another frame: unsigned 32-bit numbers. */
  answer: 8,
  /** The phones of these flows registered from other flows. Answer: no numbers. */
  releaseFlows: 9,
  /** The numbers of the `response` and `sendToPhone` frames that arrived and were accepted. */
  acknowledge: 10,
  /** A new request that the draining sender received. The receiver serves it. Answer: `accepted` or 0. */
  handOver: 11,
  /** A change of bindings, after its sequence number. The receiver applies it to its copy, and then sends `changeApplied`. */
  announceChange: 12,
  /** The sequence numbers of changes of the receiver that the sender has applied. */
  changeApplied: 13,
  /** The sender has announced its last change, with this sequence number. Answer: up to which number the receiver has applied them. */
  farewell: 14,
} as const;

/** The status of a node, in a ping and in its answer. Only a serving node accepts new requests. */
export const nodeStatuses = { serving: 0, draining: 1, left: 2 } as const;
export type NodeStatus = keyof typeof nodeStatuses;

/** The answer of a node that accepted a message. */
export const accepted = 1;

/** The age of a flow, in an answer, that the node never received from. */
export const never = 0xffff_ffff;

export type FrameKind = keyof typeof frameKinds;

export interface Frame {
  readonly kind: FrameKind;
  readonly from: string;
  readonly number: number;
  readonly body: Buffer;
}

const kindsByByte = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([kind, byte]) => [byte, kind as FrameKind]),
);
const headerLength = 17;

export function encodeFrame(frame: Frame, seal: Seal): Buffer {
  const end = headerLength + frame.body.length;
  const bytes = Buffer.allocUnsafe(end + sealLength);
  bytes[0] = frameKinds[frame.kind];
  bytes.write(frame.from, 1, 12, "latin1");
  bytes.writeUInt32BE(frame.number, 13);
  frame.body.copy(bytes, headerLength);
  bytes.write(seal.seal(bytes.subarray(0, end)), end, "latin1");
  return bytes;
}

/** Returns undefined for bytes that no node of this cluster sent. */
export function decodeFrame(bytes: Buffer, seal: Seal): Frame | undefined {
  const end = bytes.length - sealLength;
  const kind = kindsByByte.get(bytes[0] ?? 0);
  if (kind === undefined || end < headerLength) return undefined;
  if (!seal.isSealed(bytes.subarray(0, end), bytes.toString("latin1", end))) return undefined;
  return {
    kind,
    from: bytes.toString("latin1", 1, 13),
    number: bytes.readUInt32BE(13),
    body: bytes.subarray(headerLength, end),
  };
}

/** A change with its sequence number, which is two numbers. */
export const packChange = (sequence: readonly number[], change: Uint8Array): Buffer =>
  Buffer.concat([packNumbers(sequence), change]);

export const unpackChange = (
  body: Buffer,
): { readonly sequence: readonly number[]; readonly change: Buffer } => ({
  sequence: unpackNumbers(body.subarray(0, 8)),
  change: body.subarray(8),
});

/** A message with its source or destination flow: one byte with the length of the flow's key, the key, the message. */
export function packMessage(flow: Flow, text: string): Buffer {
  const body = Buffer.allocUnsafe(1 + flow.key.length + text.length);
  body[0] = flow.key.length;
  body.write(flow.key, 1, "latin1");
  body.write(text, 1 + flow.key.length, "latin1");
  return body;
}

export function unpackMessage(body: Buffer): { readonly flow: Flow; readonly text: string } | undefined {
  const end = 1 + (body[0] ?? 0);
  const flow = parseFlowKey(body.toString("latin1", 1, end));
  return flow === undefined ? undefined : { flow, text: body.toString("latin1", end) };
}

/** Keys of flows, one in each line. */
export const packFlows = (flows: readonly Flow[]): Buffer =>
  Buffer.from(flows.map(({ key }) => key).join("\n"), "latin1");

/** In the order of the frame; undefined for a key that this node cannot read. */
export const unpackFlows = (body: Buffer): (Flow | undefined)[] =>
  body.length === 0 ? [] : body.toString("latin1").split("\n").map(parseFlowKey);

/** Unsigned 32-bit numbers. A number above the range becomes `never`. */
export function packNumbers(numbers: readonly number[]): Buffer {
  const body = Buffer.allocUnsafe(numbers.length * 4);
  numbers.forEach((number, i) => {
    body.writeUInt32BE(Math.min(number, never), i * 4);
  });
  return body;
}

export const unpackNumbers = (body: Buffer): number[] =>
  Array.from({ length: Math.floor(body.length / 4) }, (_, i) => body.readUInt32BE(i * 4));

export const packStatus = (status: NodeStatus): Buffer => packNumbers([nodeStatuses[status]]);

/** An unknown number counts as `serving`. */
export const readStatus = (number: number | undefined): NodeStatus =>
  number === nodeStatuses.left ? "left" : number === nodeStatuses.draining ? "draining" : "serving";
