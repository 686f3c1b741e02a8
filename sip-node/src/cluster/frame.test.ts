/** The frames between nodes: encoding, sealing, bodies. */
import { expect, it } from "vitest";
import { createSeal } from "../auth/create-seal.ts";
import { flowOf } from "../wire/flow.ts";
import {
  decodeFrame,
  encodeFrame,
  type FrameKind,
  frameKinds,
  packFlows,
  packMessage,
  packNumbers,
  unpackFlows,
  unpackMessage,
  unpackNumbers,
} from "./frame.ts";

const keyOf = (seed: string) => [
  { id: "k", key: Buffer.alloc(32, seed), verifyFrom: 0, signFrom: 0, dropAfter: Infinity },
];
const seal = createSeal(keyOf("a"), "relay", () => 1);
const from = "0123456789ab";
const flow = flowOf("192.0.2.1", 5060);

it.each(Object.keys(frameKinds) as FrameKind[])("%s is decoded as it was encoded", (kind) => {
  const frame = { kind, from, number: 4_294_967_295, body: Buffer.from([0, 255, 13, 10]) };
  expect(decodeFrame(encodeFrame(frame, seal), seal)).toEqual(frame);
});

it("every kind has its own byte", () => {
  expect(new Set(Object.values(frameKinds)).size).toBe(Object.keys(frameKinds).length);
});

it("a frame with a changed, missing or additional byte is refused, and one of another cluster's key", () => {
  const bytes = encodeFrame({ kind: "sendToPhone", from, number: 1, body: Buffer.from("x") }, seal);
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(decodeFrame(changed, seal), String(i)).toBeUndefined();
    expect(decodeFrame(bytes.subarray(0, i), seal), String(i)).toBeUndefined();
  }
  expect(decodeFrame(Buffer.concat([bytes, Buffer.from("x")]), seal)).toBeUndefined();
  expect(
    decodeFrame(
      bytes,
      createSeal(keyOf("b"), "relay", () => 1),
    ),
  ).toBeUndefined();
  expect(
    decodeFrame(
      bytes,
      createSeal(keyOf("a"), "branch", () => 1),
    ),
  ).toBeUndefined();
});

it("a sealed frame that is shorter than its header is refused", () => {
  for (let length = 1; length < 17; length++) {
    const header = Buffer.alloc(length, 1);
    const sealed = Buffer.concat([header, Buffer.from(seal.seal(header), "latin1")]);
    expect(decodeFrame(sealed, seal), String(length)).toBeUndefined();
  }
});

it("bodies: messages with their flow, flows, numbers", () => {
  const long = flowOf("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65_535);
  for (const one of [flow, long]) {
    expect(unpackMessage(packMessage(one, "INVITE \xe9"))).toEqual({ flow: one, text: "INVITE \xe9" });
    expect(unpackFlows(packFlows([one, flow]))).toEqual([one, flow]);
  }
  expect(unpackNumbers(packNumbers([0, 1, 2 ** 40]))).toEqual([0, 1, 0xffff_ffff]);
  expect(unpackMessage(Buffer.from("\x05abc"))).toBeUndefined();
  expect([unpackFlows(Buffer.alloc(0)), unpackNumbers(Buffer.from([1, 2, 3]))]).toEqual([[], []]);
});
