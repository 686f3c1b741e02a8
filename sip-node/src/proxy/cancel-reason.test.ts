/** The Reason fields of a CANCEL that are forwarded (RFC 3326 §2). */
import { expect, it } from "vitest";
import { requestOf } from "../../../test/support/sip-message.ts";
import { maxReasonBytes } from "../wire/limits.ts";
import { callersReasons } from "./cancel-reason.ts";

const cancel = (Reason?: string | readonly string[]) =>
  requestOf("CANCEL", "sip:bob@example.com", { Reason });

it("every Reason field is forwarded unchanged and in order", () => {
  const reasons = ['SIP;cause=600;text="Busy Everywhere"', "Q.850 ;cause=16, X;y=z"];
  expect(callersReasons(cancel(reasons))).toBe(reasons.map((reason) => `Reason: ${reason}\r\n`).join(""));
});

it("no Reason field is forwarded when there is none or when they are longer than maxReasonBytes", () => {
  const longest = "x".repeat(maxReasonBytes - "Reason: \r\n".length);
  expect(callersReasons(cancel())).toBe("");
  expect(callersReasons(cancel(longest))).toBe(`Reason: ${longest}\r\n`);
  expect(callersReasons(cancel(`${longest}x`))).toBe("");
});
