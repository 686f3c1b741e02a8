import { expect, test } from "vitest";
import { rangesOf } from "./node-ranges.ts";

test("ranges are the pod CIDRs and the addresses of nodes, IPv4 and IPv6, without duplicates and host names", () => {
  const node = {
    spec: { podCIDR: "10.244.0.0/24", podCIDRs: ["10.244.0.0/24", "fd00:1::/64"] },
    status: {
      addresses: [
        { type: "InternalIP", address: "192.0.2.1" },
        { type: "InternalIP", address: "2001:db8::1" },
        { type: "Hostname", address: "node-1" },
      ],
    },
  };
  expect(rangesOf([node, node, { spec: { podCIDR: "10.244.1.0/24" } }, {}])).toEqual([
    "10.244.0.0/24",
    "10.244.1.0/24",
    "192.0.2.1/32",
    "2001:db8::1/128",
    "fd00:1::/64",
  ]);
});
