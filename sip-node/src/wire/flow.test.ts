/** Flow keys, which rows, tokens and frames bring back. */
import { describe, expect, it } from "vitest";
import { flowOf, parseFlowKey } from "./flow.ts";

describe("parseFlowKey", () => {
  it.each([
    "192.0.2.1",
    "0.0.0.0",
    "2001:db8::1",
    "::",
    "::1",
    "::ffff:192.0.2.1",
    "1:2:3:4:5:6:7:8",
    "1::8",
    "64:ff9b::192.0.2.33",
  ])("gives back the flow of %s", (address) =>
    expect(parseFlowKey(flowOf(address, 5060).key)).toEqual(flowOf(address, 5060)),
  );

  it.each([
    "",
    "sctp:192.0.2.1:5060",
    "udp:192.0.2.1",
    "udp:192.0.2.1:0",
    "udp:192.0.2.1:65536",
    "udp:192.0.2:5060",
    "udp:192.0.2.256:5060",
    "udp:....:5060",
    "udp:2001:db8::1:5060",
    "udp:[1:2:3]:5060",
    "udp:[::1::]:5060",
    "udp:[1:2:3:4:5:6:7:8:9]:5060",
    "udp:[1:2:3:4::5:6:7:8]:5060",
    "udp:[12345::]:5060",
    "udp:[::1.2.3]:5060",
    "udp:[1.2.3.4::]:5060",
    "udp:[:1:2:3:4:5:6:7]:5060",
    "udp:example.com:5060",
    "udp:192.0.2.1:5060\n",
  ])("%j names no flow", (key) => expect(parseFlowKey(key)).toBeUndefined());
});
