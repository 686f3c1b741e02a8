/** Tests whether an address is in one of several CIDR ranges. */
import { BlockList, isIPv6 } from "node:net";
import type { AddressRange } from "../config/addresses.ts";

/** The returned function takes an IPv4 address, an IPv6 address, or an IPv4-mapped IPv6 address. */
export function inRanges(ranges: readonly AddressRange[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefix, family } of ranges) list.addSubnet(address, prefix, family);
  return (address) => {
    const unmapped = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
    return list.check(unmapped, isIPv6(unmapped) ? "ipv6" : "ipv4");
  };
}
