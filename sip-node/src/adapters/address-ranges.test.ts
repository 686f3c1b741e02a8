import { expect, it } from "vitest";
import { inRanges } from "./address-ranges.ts";

const isInside = inRanges([
  { address: "10.244.0.0", prefix: 16, family: "ipv4" },
  { address: "2001:db8:1::", prefix: 48, family: "ipv6" },
]);

it.each([
  ["10.244.255.1", true],
  ["10.245.0.1", false],
  ["2001:db8:1:ffff::1", true],
  ["2001:db8:2::1", false],
  ["::ffff:10.244.0.7", true],
  ["::ffff:192.0.2.1", false],
])("%s is inside: %s", (address, expected) => {
  expect(isInside(address)).toBe(expected);
});
