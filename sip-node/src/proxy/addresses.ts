/** The hosts and ports of this cluster: the advertised address, and former ones until the longest dialog over them ends (design-sip rule 1). */
import { hostPort } from "../wire/flow.ts";

export interface Addresses {
  /** Host as Via, Record-Route and URIs carry it: an IPv6 reference has brackets. */
  readonly advertised: { readonly host: string; readonly port: number };
  /** `host:port` in lower case of every address of this cluster, the advertised one included. */
  readonly own: ReadonlySet<string>;
}

/** Whether a URI's host and port name this cluster; a missing port is 5060. */
export const isOwnAddress = (addresses: Addresses, host: string, port: number | undefined): boolean =>
  addresses.own.has(hostPort(host, port ?? 5060));

/** `advertised` and `former` are `host` without brackets and port. */
export function addressesOf(
  advertised: { readonly host: string; readonly port: number },
  former: readonly { readonly host: string; readonly port: number }[] = [],
): Addresses {
  const host = advertised.host.includes(":") ? `[${advertised.host}]` : advertised.host;
  const own = [advertised, ...former].map((address) => hostPort(address.host.toLowerCase(), address.port));
  return { advertised: { host, port: advertised.port }, own: new Set(own) };
}
