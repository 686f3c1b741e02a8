/** The own addresses of the cluster (design-sip rule 1). */
import { expect, it } from "vitest";
import { addressesOf, isOwnAddress } from "./addresses.ts";

const addresses = addressesOf({ host: "SIP.Example.com", port: 5060 }, [{ host: "2001:DB8::1", port: 5070 }]);

it.each([
  ["sip.example.com", 5060, true],
  ["sip.example.com", undefined, true],
  ["sip.example.com", 5061, false],
  ["2001:db8::1", 5070, true],
  ["2001:db8::1", undefined, false],
  ["example.com", 5060, false],
])("isOwnAddress for %s port %j returns %s", (host, port, isOurs) =>
  expect(isOwnAddress(addresses, host, port)).toBe(isOurs),
);

it("an IPv6 address is advertised in brackets", () => {
  expect(addressesOf({ host: "2001:db8::1", port: 5060 }).advertised).toEqual({
    host: "[2001:db8::1]",
    port: 5060,
  });
});
