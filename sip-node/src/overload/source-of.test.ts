import { expect, it } from "vitest";
import { sourceOf } from "./source-of.ts";

it("an IPv4 address is a source, also when a socket for both families writes it", () => {
  expect(["192.0.2.1", "::ffff:192.0.2.1"].map(sourceOf)).toEqual(["192.0.2.1", "192.0.2.1"]);
});

it("all addresses of an IPv6 /64 network are one source, in every spelling of the kernel", () => {
  const network = "2001:db8:1:2::/64";
  for (const address of ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", "2001:db8:1:2::", "2001:db8:1:2:3::1"])
    expect(sourceOf(address), address).toBe(network);
  expect(sourceOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(sourceOf("2001:db8:0:0:1::1")).toBe("2001:db8:0:0::/64");
  expect(sourceOf("2001::5:0:0:0:1")).toBe("2001:0:0:5::/64");
  expect(sourceOf("::1")).toBe("0:0:0:0::/64");
  expect(sourceOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
});
