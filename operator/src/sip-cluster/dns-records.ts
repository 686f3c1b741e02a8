/** The DNS records by which phones find the exchange by name (RFC 3263 §4: NAPTR, then SRV, then an address). Pure. */
import { isIP } from "node:net";
import type { HostPort } from "./resource.ts";

const timeToLive = 300;
/** Keeps the status readable. The records of further domains differ in the name only. */
const mostDomains = 20;

/** An SRV record names a host, never an address. If the exchange has only an address, the host is `sip` in each domain. */
export function dnsRecords({ host, port }: HostPort, domains: readonly string[]): readonly string[] {
  const family = isIP(host);
  return [...domains]
    .sort()
    .slice(0, mostDomains)
    .filter((domain) => isIP(domain) === 0)
    .flatMap((domain) => {
      const target = family === 0 ? host.replace(/\.$/, "") : `sip.${domain}`;
      const line = (name: string, type: string, value: string) =>
        `${name}. ${timeToLive} IN ${type} ${value}`;
      return [
        line(domain, "NAPTR", `10 10 "s" "SIP+D2U" "" _sip._udp.${domain}.`),
        line(`_sip._udp.${domain}`, "SRV", `10 10 ${port} ${target}.`),
        ...(family === 0 ? [] : [line(target, family === 4 ? "A" : "AAAA", host)]),
      ];
    });
}
