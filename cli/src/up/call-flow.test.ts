import { expect, test } from "vitest";
import { drawCallFlow } from "./call-flow.ts";

test("arrows point to the exchange or away from it, and all lines of messages have the same length", () => {
  const lines = drawCallFlow({ left: "alice", right: "bob" }, [
    { side: "left", direction: "to exchange", text: "INVITE bob" },
    { side: "right", direction: "from exchange", text: "INVITE bob" },
    { side: "right", direction: "to exchange", text: "180 Ringing" },
    { side: "left", direction: "from exchange", text: "180 Ringing" },
  ]);
  const [, toExchange = "", fromExchange = "", answer = "", back = ""] = lines;
  expect(toExchange).toMatch(/^ \|- INVITE bob -+>\| +\|$/);
  expect(fromExchange).toMatch(/^ \| +\|- INVITE bob -+>\|$/);
  expect(answer).toMatch(/^ \| +\|<- 180 Ringing -+\|$/);
  expect(back).toMatch(/^ \|<- 180 Ringing -+\| +\|$/);
  expect(new Set(lines.slice(1).map((line) => line.length))).toEqual(new Set([80]));
});

test("a text that is too long is cut, so that its line has the same length", () => {
  const [, short = "", long = ""] = drawCallFlow({ left: "a", right: "b" }, [
    { side: "left", direction: "to exchange", text: "x" },
    { side: "left", direction: "to exchange", text: "x".repeat(200) },
  ]);
  expect(long.length).toBe(short.length);
});
