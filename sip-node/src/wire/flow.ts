/** A flow: how one phone is reached, by transport and remote address. Nodes, rows and tokens name flows by their key. */
import { RecentFlows } from "./recent-flows.ts";

/**
 * The transports that this exchange serves; a flow of any other transport cannot exist. Flow tokens contain the place of a transport in this list: add
 * new ones at its end. A further transport needs an adapter (`adapters/tcp/`) and sockets (`process/sockets.ts`).
 */
export const transports = ["udp", "tcp"] as const;
export type Transport = (typeof transports)[number];

/** The transport as a Via header names it (RFC 3261 §18.1.1). */
export const viaTransport: Readonly<Record<Transport, string>> = { udp: "UDP", tcp: "TCP" };

/** As a parameter of a SIP URI; UDP is the default (§19.1.1). */
export const transportParameter: Readonly<Record<Transport, string>> = { udp: "", tcp: ";transport=tcp" };

/** A reliable transport retransmits itself (§17.1). Its flow is a connection, which only one node has. */
export const isReliable: Readonly<Record<Transport, boolean>> = { udp: false, tcp: true };

export interface Flow {
  readonly transport: Transport;
  /** IPv4 or IPv6 address without brackets. */
  readonly address: string;
  readonly port: number;
  /** `udp:192.0.2.1:5060`, `udp:[2001:db8::1]:5060`: equal keys are equal flows. */
  readonly key: string;
}

/** Flows of a busy minute. */
const recent: Readonly<Record<Transport, RecentFlows<Flow>>> = {
  udp: new RecentFlows(16_384),
  tcp: new RecentFlows(16_384),
};

/** The same object for the same flow, as long as it was used recently. */
export const flowOf = (address: string, port: number, transport: Transport = "udp"): Flow =>
  recent[transport].get(address, port, makers[transport]);

const maker =
  (transport: Transport) =>
  (address: string, port: number): Flow => ({
    transport,
    address,
    port,
    key: `${transport}:${hostPort(address, port)}`,
  });
const makers = { udp: maker("udp"), tcp: maker("tcp") } as const;

/** `host:port` with the brackets that IPv6 needs. */
export const hostPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** The flow that a key names; undefined for any other text, which rows of other tools may have. */
export function parseFlowKey(key: string): Flow | undefined {
  const found = /^([a-z]+):(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(key);
  if (found === null) return undefined;
  const [, scheme, long, short = "", digits] = found;
  const transport = transports.find((name) => name === scheme);
  const port = Number(digits);
  if (transport === undefined || port === 0 || port > 65_535) return undefined;
  if (!(long === undefined ? isIpv4(short) : isIpv6(long))) return undefined;
  return flowOf(long ?? short, port, transport);
}

const isIpv4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split(".").every((byte) => Number(byte) < 256);

// RFC 4291 §2.2: eight words, of which "::" stands for one run of zeros; the last two may be an IPv4 address
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const words = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = words[words.length - 1];
  const isMixed = last?.includes(".") === true && !text.endsWith("::");
  if (isMixed && !isIpv4(last)) return false;
  const hex = isMixed ? words.slice(0, -1) : words;
  const count = hex.length + (isMixed ? 2 : 0);
  return (
    hex.every((word) => /^[0-9a-f]{1,4}$/i.test(word)) && (halves.length === 2 ? count < 8 : count === 8)
  );
}
