/** Via values (RFC 3261 §20.42, RFC 3581, RFC 5118 §4.5). */
import { describe, expect, it } from "vitest";
import { maxTokenBytes } from "./limits.ts";
import { isProblem } from "./problem.ts";
import { parseVia, type Via, withoutSource } from "./via.ts";

const via = (text: string): Via => {
  const found = parseVia(text, 0, text.length);
  if (isProblem(found)) throw new Error(found.reason);
  return found;
};

describe("parseVia", () => {
  it.each([
    ["SIP/2.0/UDP h;branch=z9hG4bK1", { transport: "UDP", host: "h", port: undefined, branch: "z9hG4bK1" }],
    [
      "sip / 2.0 / tcp  A.Example.COM : 5070 ; branch = b",
      { transport: "TCP", host: "a.example.com", port: 5070 },
    ],
    ["SIP/2.0/UDP 192.0.2.1:5060;rport;branch=b", { rport: true, received: undefined }],
    ["SIP/2.0/UDP h;rport=;branch=b", { rport: true }],
    ["SIP/2.0/UDP h;received=192.0.2.9;rport=4711", { rport: 4711, received: "192.0.2.9" }],
    [
      "SIP/2.0/UDP [2001:DB8::9]:5060;received=[2001:db8::1]",
      { host: "[2001:db8::9]", received: "[2001:db8::1]" },
    ],
    ["SIP/2.0/UDP [2001:db8::9];received=2001:db8::1", { received: "2001:db8::1" }],
    ['SIP/2.0/UNKNOWN h;BRANCH=b;ttl=16;x="a;branch=no"', { transport: "UNKNOWN", branch: "b" }],
    ["SIP/2.0/UDP h", { branch: undefined, version: "2.0" }],
    ["SIP / 3.1 / UDP h;branch=b", { version: "3.1", host: "h", branch: "b" }],
  ])("%j", (text, parts) => expect(via(text)).toMatchObject(parts));

  it.each([
    "",
    "SIP/2.0",
    "SIP/2.0/UDP",
    "SIP/2.0/UDP ;branch=b",
    "SIP/x/UDP h",
    "SIP/2/UDP h",
    "SIP//UDP h",
    "HTTP/2.0/UDP h",
    "SIP/2.0/U<P h",
    "SIP/2.0/UDP h:0",
    "SIP/2.0/UDP h:65536",
    "SIP/2.0/UDP h:",
    "SIP/2.0/UDP h x",
    "SIP/2.0/UDP [::1;branch=b",
    'SIP/2.0/UDP h;x="a',
    "SIP/2.0/UDP h;branch=",
    "SIP/2.0/UDP h;branch",
    `SIP/2.0/UDP h;branch=${"b".repeat(maxTokenBytes + 1)}`,
    "SIP/2.0/UDP h;rport=x",
    "SIP/2.0/UDP h;rport=65536",
  ])("%j is refused", (text) => {
    expect(isProblem(parseVia(text, 0, text.length))).toBe(true);
  });

  it("does not read after the value", () => {
    const text = "SIP/2.0/UDP a, SIP/2.0/UDP b;branch=2";
    expect(parseVia(text, 0, 13)).toMatchObject({ host: "a", branch: undefined, end: 13 });
    expect(isProblem(parseVia("SIP/2.0/UDP [::1, SIP/2.0/UDP [::2]", 0, 16))).toBe(true);
  });
});

describe("withoutSource", () => {
  it.each([
    ["SIP/2.0/UDP h;received=1.2.3.4;branch=b;rport=5", "SIP/2.0/UDP h;branch=b"],
    ["SIP/2.0/UDP h ; RPORT ; branch=b", "SIP/2.0/UDP h ; branch=b"],
    ["SIP/2.0/UDP h;rports=1;receivedby=x", "SIP/2.0/UDP h;rports=1;receivedby=x"],
    ['SIP/2.0/UDP h;x="a;rport=1";rport', 'SIP/2.0/UDP h;x="a;rport=1"'],
  ])("%j", (value, left) => {
    expect(withoutSource(value, 0, value.length)).toBe(left);
    expect(withoutSource(`Via: ${value}, SIP/2.0/UDP h;rport`, 5, 5 + value.length)).toBe(left);
  });
});
