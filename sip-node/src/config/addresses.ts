/** Addresses as the configuration writes them. Each function returns undefined for a text of another form. */
import { isIP, SocketAddress } from "node:net";
import { parseHostPort } from "../wire/uri.ts";

export interface HostPort {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** A CIDR range of addresses. */
export interface AddressRange {
  readonly address: string;
  /** The number of leading bits that are compared. */
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

/** `host:port`, with brackets around an IPv6 address. */
export function parseAddress(text: string): HostPort | undefined {
  // A port in SIP is never 0, so `parseHostPort` refuses it.
  const isAnyPort = text.endsWith(":0");
  const found = parseHostPort(isAnyPort ? `${text.slice(0, -1)}1` : text);
  if (found?.port === undefined) return undefined;
  return { host: found.host, port: isAnyPort ? 0 : found.port };
}

/** Whether only this host can connect to the address. A host name is refused: it may resolve to any address. */
export function isLoopback(text: string): boolean {
  const host = parseAddress(text)?.host ?? "";
  return host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The IP address in the form that sockets report, because addresses are compared as text. */
export function parseIp(text: string): string | undefined {
  const family = isIP(text);
  if (family === 0) return undefined;
  return family === 4 ? text : new SocketAddress({ address: text, family: "ipv6" }).address;
}

/** CIDR notation: `10.0.0.0/8`. */
export function parseRange(text: string): AddressRange | undefined {
  const [, address = "", digits = ""] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  const prefix = Number(digits);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return undefined;
  return { address, prefix, family: family === 4 ? "ipv4" : "ipv6" };
}
