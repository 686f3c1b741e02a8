/** Which reasons of a CANCEL go on (RFC 3326 §2). */
import { expect, it } from "vitest";
import { requestOf } from "../../../test/support/sip-message.ts";
import { maxReasonBytes } from "../wire/limits.ts";
import { callersReason } from "./cancel-reason.ts";

const cancel = (Reason?: string | readonly string[]) =>
  requestOf("CANCEL", "sip:bob@example.com", { Reason });

it("every Reason field as it came, in order", () => {
  const reasons = ['SIP;cause=600;text="Busy Everywhere"', "Q.850 ;cause=16, X;y=z"];
  expect(callersReason(cancel(reasons))).toBe(reasons.map((reason) => `Reason: ${reason}\r\n`).join(""));
});

it("none where there is none, or more than a CANCEL should carry", () => {
  const longest = "x".repeat(maxReasonBytes - "Reason: \r\n".length);
  expect(callersReason(cancel())).toBe("");
  expect(callersReason(cancel(longest))).toBe(`Reason: ${longest}\r\n`);
  expect(callersReason(cancel(`${longest}x`))).toBe("");
});
