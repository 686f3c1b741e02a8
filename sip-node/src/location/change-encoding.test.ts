/** Announced changes: what is encoded is decoded unchanged, and nothing that a peer sends throws. */
import { describe, expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import type { Binding } from "./binding.ts";
import { type AnnouncedChange, decodeChanges, encodeChanges } from "./change-encoding.ts";
import { maxChangeBytes } from "./copy-protocol.ts";

const binding: Binding = {
  id: "9223372036854775807",
  contact: Buffer.from("sip:böb@[2001:db8::1]", "utf8").toString("latin1"),
  q: 250,
  callId: 'c"\\\n',
  cseq: 2_147_483_647,
  expiresIn: 59.5,
  flow: flowOf("2001:db8::1", 5060),
  isBehindNat: true,
  ownerNode: "0123456789ab",
  userAgent: "phone/1.0",
  instance: "<urn:uuid:1>",
  regId: 1,
  nonceAt: 1_800_000_000_123,
  nonceCount: 7,
  registeredAt: 1_700_000_000_456,
  refreshedAt: 1_700_000_000_457,
};
const foreign: Binding = { ...binding, instance: undefined, isBehindNat: false };
Reflect.deleteProperty(foreign, "refreshedAt");
const change = (username: string, bindings: readonly Binding[] | undefined = [binding]): AnnouncedChange => ({
  aor: { username, domain: "example.com" },
  version: 3,
  age: 17,
  bindings,
});

describe("encode and decode", () => {
  it("a batch comes back as it was", () => {
    const batch = [
      change("bob"),
      change("böb", [foreign, binding]),
      { ...change("nobody"), bindings: undefined },
      change("empty", []),
    ];
    const [part, ...others] = encodeChanges(batch);
    expect(decodeChanges(part!)).toEqual(batch);
    expect(others).toEqual([]);
  });

  it("no change is no part; a long batch is several parts, each within the limit and in order", () => {
    expect(encodeChanges([])).toEqual([]);
    const batch = Array.from({ length: 500 }, (_, i) => change(`u${i}`));
    const parts = encodeChanges(batch);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(maxChangeBytes);
    expect(parts.flatMap((part) => decodeChanges(part))).toEqual(batch);
  });

  it("a list that is too long for a part is announced without its bindings", () => {
    const long = change("bob", new Array<Binding>(200).fill(binding));
    expect(encodeChanges([long]).flatMap((part) => decodeChanges(part))).toEqual([
      { ...long, bindings: undefined },
    ]);
  });
});

describe("what cannot be read", () => {
  it("another format, and any damaged text", () => {
    const whole = Buffer.from(encodeChanges([change("bob")])[0]!).toString();
    for (const text of [
      "",
      "7",
      "[2,[]]",
      "[1]",
      "[1,[7]]",
      '[1,[["bob","example.com",1,0]]]',
      whole.replace("udp:", "sctp:"),
      whole.replace("250", '"250"'),
      ...Array.from({ length: whole.length - 1 }, (_, length) => whole.slice(0, length)),
    ])
      expect(decodeChanges(Buffer.from(text)), text).toBeUndefined();
  });
});
