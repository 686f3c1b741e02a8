/** Whether an address lies in one of several ranges. */
import { BlockList, isIPv6 } from "node:net";
import type { AddressRange } from "../config/addresses.ts";

/** `address`: IPv4, IPv6, or IPv4 as IPv6 sockets write it. */
export function inRanges(ranges: readonly AddressRange[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefix, family } of ranges) list.addSubnet(address, prefix, family);
  return (address) => {
    const short = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
    return list.check(short, isIPv6(short) ? "ipv6" : "ipv4");
  };
}
