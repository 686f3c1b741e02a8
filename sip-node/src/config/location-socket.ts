/** The advertised address as a value of the column `location.socket` of OpenSIPS (docs/adr/0025). */
import { hostPort } from "../wire/flow.ts";
import { maxSocketBytes } from "../wire/limits.ts";
import type { HostPort } from "./addresses.ts";

/** `udp:host:port`; undefined if it is too long for the column. */
export function locationSocket({ host, port }: HostPort): string | undefined {
  const text = `udp:${hostPort(host, port)}`;
  return text.length <= maxSocketBytes ? text : undefined;
}
