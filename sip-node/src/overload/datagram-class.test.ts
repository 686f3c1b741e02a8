import { expect, it } from "vitest";
import { datagramClass, type DatagramClass } from "./datagram-class.ts";

const classOf = (text: string) => datagramClass(text);

const cases: readonly (readonly [DatagramClass, readonly string[]])[] = [
  ["register", ["REGISTER"]],
  ["call", ["INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER"]],
  ["other", ["OPTIONS", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "NOTIFY", "PRACK", "register", "X"]],
  ["response", ["SIP/2.0 200 OK", "sip/2.0 200 OK", "Sip/2.0 200 OK"]],
];

it.each(cases.flatMap(([kind, starts]) => starts.map((start) => [kind, start] as const)))(
  "%s: %s, also behind CRLFs, which the parser skips (§7.5)",
  (kind, start) => {
    expect(classOf(`${start} sip:example.com SIP/2.0`)).toBe(kind);
    expect(classOf(`\r\n\r\n\r\n${start} sip:example.com SIP/2.0`)).toBe(kind);
  },
);

it("a datagram of at most 8 bytes is a keepalive, because no message is so short", () => {
  for (const text of ["", "\0", "\r\n\r\n", "REGISTER"]) expect(classOf(text)).toBe("keepalive");
});
