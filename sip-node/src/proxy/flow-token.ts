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
import { isIPv6 } from "node:net";
import { type Flow, flowOf, transports } from "../wire/flow.ts";
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
  const flags =
    (isIPv6(caller.flow.address) ? 1 : 0) |
    (isIPv6(callee.flow.address) ? 2 : 0) |
    (caller.isBehindNat ? 4 : 0) |
    (callee.isBehindNat ? 8 : 0); // prettier-ignore
  const indexes =
    (transports.indexOf(caller.flow.transport) << 4) | transports.indexOf(callee.flow.transport);
  const bytes: number[] = indexes === 0 ? [flags] : [flags | hasTransports, indexes];
  for (const { flow } of [caller, callee])
    for (const byte of [...addressBytes(flow.address), flow.port >> 8, flow.port & 255]) bytes.push(byte);
  const tail = Buffer.alloc(tailLength);
  [caller, callee].forEach((party, i) => {
    tail.write(party.ownerNode, i * 6, 6, "hex");
    tail.writeBigUInt64BE(BigInt(party.contactId), 12 + i * 8);
    tail.writeBigUInt64BE(BigInt(party.contactKey), 28 + i * 8);
  });
  return Buffer.concat([Buffer.from(bytes), tail]);
}

function unpack(bytes: Buffer): FlowToken | undefined {
  const flags = bytes[0] ?? 0;
  const start = flags & hasTransports ? 2 : 1;
  const indexes = flags & hasTransports ? (bytes[1] ?? 0) : 0;
  const names = [transports[indexes >> 4], transports[indexes & 15]];
  const lengths = [1, 2].map((isLong) => (flags & isLong ? 16 : 4) + 2);
  if (bytes.length !== start + lengths.reduce((sum, length) => sum + length) + tailLength) return undefined;
  if (names.includes(undefined)) return undefined;
  let at = start;
  const flows = lengths.map((length, i) => {
    const address = addressText(bytes.subarray(at, at + length - 2));
    const port = bytes.readUInt16BE(at + length - 2);
    at += length;
    return flowOf(address, port, names[i]);
  });
  const party = (i: 0 | 1): Party => ({
    flow: flows[i] as Flow,
    isBehindNat: (flags & (4 << i)) !== 0,
    ownerNode: ownerText(bytes.subarray(at + i * 6, at + i * 6 + 6)),
    contactId: bytes.readBigUInt64BE(at + 12 + i * 8).toString(),
    contactKey: bytes.readBigUInt64BE(at + 28 + i * 8).toString(),
  });
  return { caller: party(0), callee: party(1) };
}

const ownerText = (bytes: Buffer): string => (bytes.every((byte) => byte === 0) ? "" : bytes.toString("hex"));

function addressBytes(address: string): number[] {
  if (!isIPv6(address)) return address.split(".").map(Number);
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

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  // As sockets write an IPv4 address that came over IPv6
  if (bytes.subarray(0, 12).toString("hex") === "00000000000000000000ffff")
    return `::ffff:${bytes.subarray(12).join(".")}`;
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}
