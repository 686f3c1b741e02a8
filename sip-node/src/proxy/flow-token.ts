/**
 * The flow token in our Record-Route: how both phones of a dialog are reached, so that no node needs dialog state (design-sip rule 17,
 * RFC 5626 §5.3). Opaque to phones. Its seal covers the Call-ID and the caller's tag; the tag also tells the direction of a request.
 *
 *   byte 0        flags: 1 caller IPv6, 2 callee IPv6, 4 caller behind NAT, 8 callee behind NAT, 128 a transport other than UDP
 *   transports    with flag 128 only: 4 bits each, the index in `transports`
 *   addresses     4 or 16 bytes and 2 of port, caller then callee
 *   owners        6 bytes each: the nodes that received from them last, a hint
 *   contacts      8 bytes each: `contact_id` of both, 0 for none
 *   keys          8 bytes each: `contactKey` of the Contact of both, 0 for none
 */
import { type Flow, flowOf, type Transport, transports } from "../wire/flow.ts";
import { type Seal, sealLength } from "../wire/seal.ts";

/** One phone of the dialog. */
export interface Party {
  readonly flow: Flow;
  readonly isBehindNat: boolean;
  /** Node id of 12 hexadecimal digits, or "" where none is known. */
  readonly ownerNode: string;
  /** `contact_id`, or "0". */
  readonly contactId: string;
  /** `contactKey` of its Contact when the dialog began; a Request-URI with another key means a target refresh. "0": not known. */
  readonly contactKey: string;
}

export interface FlowToken {
  readonly caller: Party;
  readonly callee: Party;
}

export function sealToken(token: FlowToken, callId: string, callerTag: string, seal: Seal): string {
  const packed = pack(token).toString("base64url");
  return seal.seal(sealed(packed, callId, callerTag)) + packed;
}

/** The parties of a token with the seal for this Call-ID and caller's tag; undefined for any other text. */
export function openToken(
  text: string,
  callId: string,
  callerTag: string,
  seal: Seal,
): FlowToken | undefined {
  const packed = text.slice(sealLength);
  if (!seal.isSealed(sealed(packed, callId, callerTag), text.slice(0, sealLength))) return undefined;
  return unpack(Buffer.from(packed, "base64url"));
}

const tailLength = 44;
/** Flag: a byte of transports follows. */
const hasTransports = 128;

const sealed = (packed: string, callId: string, callerTag: string): string =>
  `${packed} ${callId} ${callerTag}`;

function pack({ caller, callee }: FlowToken): Buffer {
  const isLong = [caller.flow.address.includes(":"), callee.flow.address.includes(":")] as const;
  const flags =
    (isLong[0] ? 1 : 0) | (isLong[1] ? 2 : 0) | (caller.isBehindNat ? 4 : 0) | (callee.isBehindNat ? 8 : 0); // prettier-ignore
  const indexes =
    (transports.indexOf(caller.flow.transport) << 4) | transports.indexOf(callee.flow.transport);
  const start = indexes === 0 ? 1 : 2;
  const bytes = Buffer.alloc(start + placeLength(isLong[0]) + placeLength(isLong[1]) + tailLength);
  bytes[0] = indexes === 0 ? flags : flags | hasTransports;
  if (indexes !== 0) bytes[1] = indexes;
  const tail = packPlace(callee.flow, bytes, packPlace(caller.flow, bytes, start));
  packParty(caller, bytes, tail, 0);
  packParty(callee, bytes, tail, 1);
  return bytes;
}

/** An address and a port. */
const placeLength = (isLong: boolean): number => (isLong ? 18 : 6);

/** Returns the offset after the address and the port. */
function packPlace({ address, port }: Flow, bytes: Buffer, start: number): number {
  let at = start;
  for (const byte of addressBytes(address)) bytes[at++] = byte;
  return bytes.writeUInt16BE(port, at);
}

function packParty({ ownerNode, contactId, contactKey }: Party, bytes: Buffer, tail: number, i: 0 | 1): void {
  bytes.write(ownerNode, tail + i * 6, 6, "hex");
  if (contactId !== "0") bytes.writeBigUInt64BE(BigInt(contactId), tail + 12 + i * 8);
  if (contactKey !== "0") bytes.writeBigUInt64BE(BigInt(contactKey), tail + 28 + i * 8);
}

function unpack(bytes: Buffer): FlowToken | undefined {
  const flags = bytes[0] ?? 0;
  const start = flags & hasTransports ? 2 : 1;
  const indexes = flags & hasTransports ? (bytes[1] ?? 0) : 0;
  const [callers, callees] = [transports[indexes >> 4], transports[indexes & 15]];
  if (callers === undefined || callees === undefined) return undefined;
  const second = start + placeLength((flags & 1) !== 0);
  const tail = second + placeLength((flags & 2) !== 0);
  if (bytes.length !== tail + tailLength) return undefined;
  return {
    caller: unpackParty(unpackPlace(bytes, start, second, callers), (flags & 4) !== 0, bytes, tail, 0),
    callee: unpackParty(unpackPlace(bytes, second, tail, callees), (flags & 8) !== 0, bytes, tail, 1),
  };
}

const unpackPlace = (bytes: Buffer, start: number, end: number, transport: Transport): Flow =>
  flowOf(addressText(bytes, start, end - 2), bytes.readUInt16BE(end - 2), transport);

const unpackParty = (flow: Flow, isBehindNat: boolean, bytes: Buffer, tail: number, i: 0 | 1): Party => ({
  flow,
  isBehindNat,
  ownerNode: ownerText(bytes, tail + i * 6),
  contactId: bytes.readBigUInt64BE(tail + 12 + i * 8).toString(),
  contactKey: bytes.readBigUInt64BE(tail + 28 + i * 8).toString(),
});

/** Six bytes, all 0 where none is known. */
const ownerText = (bytes: Buffer, at: number): string =>
  bytes.readUIntBE(at, 6) === 0 ? "" : bytes.toString("hex", at, at + 6);

function addressBytes(address: string): number[] {
  if (!address.includes(":")) return address.split(".").map(Number);
  const [head = "", tail] = address.split("::");
  const words = (text: string): number[] => (text === "" ? [] : text.split(":").flatMap(wordBytes));
  const first = words(head);
  const last = tail === undefined ? [] : words(tail);
  return [...first, ...new Array<number>(16 - first.length - last.length).fill(0), ...last];
}

/** Two bytes of a hexadecimal word, or the four of an IPv4 tail (RFC 4291 §2.2). */
const wordBytes = (word: string): number[] => {
  if (word.includes(".")) return word.split(".").map(Number);
  const value = Number.parseInt(word, 16);
  return [value >> 8, value & 255];
};

function addressText(all: Buffer, start: number, end: number): string {
  if (end - start === 4) return `${all[start]}.${all[start + 1]}.${all[start + 2]}.${all[start + 3]}`;
  const bytes = all.subarray(start, end);
  // As sockets write an IPv4 address that came over IPv6
  if (bytes.subarray(0, 12).toString("hex") === "00000000000000000000ffff")
    return `::ffff:${bytes.subarray(12).join(".")}`;
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}
