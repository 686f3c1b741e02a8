/** What the column `location.socket` (OpenSIPS) says of the advertised address: docs/adr/0025. */
import { hostPort } from "../wire/flow.ts";
import { maxSocketBytes } from "../wire/limits.ts";
import type { HostPort } from "./addresses.ts";

/** `udp:host:port`; undefined where the column cannot hold it. */
export function locationSocket({ host, port }: HostPort): string | undefined {
  const text = `udp:${hostPort(host, port)}`;
  return text.length <= maxSocketBytes ? text : undefined;
}
