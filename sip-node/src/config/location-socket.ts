/** The advertised address for the column `location.socket` of OpenSIPS (docs/adr/0025), in which a transport and a colon are before it. */
import { hostPort } from "../wire/flow.ts";
import { maxSocketBytes } from "../wire/limits.ts";
import type { HostPort } from "./addresses.ts";

/** `host:port`; undefined if it is too long for the column. */
export function locationSocket({ host, port }: HostPort): string | undefined {
  const text = hostPort(host, port);
  return text.length + "udp:".length <= maxSocketBytes ? text : undefined;
}
