/** The source that a budget belongs to: an IPv4 address, or the /64 network of an IPv6 address, which one sender can use as a whole. Pure. */

/** `address` as the kernel writes it: compressed. An IPv4-mapped address is an IPv4 address (RFC 4291 §2.2). */
export function sourceOf(address: string): string {
  if (!address.includes(":")) return address;
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(7);
  const [head = "", tail = ""] = address.split("::");
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const zeros = new Array<string>(8 - Math.min(8, before.length + after.length)).fill("0");
  const groups = [...before, ...zeros, ...after];
  return `${groups.slice(0, networkGroups).join(":")}::/64`;
}

const networkGroups = 4;

const groupsOf = (text: string): string[] => (text === "" ? [] : text.split(":"));
