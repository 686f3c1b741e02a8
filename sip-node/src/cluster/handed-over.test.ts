import { expect, it } from "vitest";
import { HandedOver } from "./handed-over.ts";

it("transactions are counted for each peer until they end", () => {
  const handedOver = new HandedOver();
  const [one, two, other] = [handedOver.begin("a"), handedOver.begin("a"), handedOver.begin("b")];
  expect([handedOver.count("a"), handedOver.count("b"), handedOver.count("c")]).toEqual([2, 1, 0]);
  one();
  other();
  expect([handedOver.count("a"), handedOver.count("b")]).toEqual([1, 0]);
  two();
  expect(handedOver.count("a")).toBe(0);
});
