import { expect, it } from "vitest";
import { bytesOf } from "./bytes.ts";

const read = (text: string): string =>
  Buffer.from(bytesOf(text).subarray(0, text.length + 1)).toString("latin1");

it.each([0, 1, 65_535, 65_999, 66_000, 70_000])(
  "has the bytes of a text of %i characters and a zero after them, whatever was read before",
  (length) => {
    const text = "\xe9".repeat(length);
    for (const before of ["x".repeat(70_000), "x".repeat(65_999), "", text]) {
      read(before);
      expect(read(text) === `${text}\0`).toBe(true);
    }
  },
);

it("has the bytes of a text that has the length of the one before", () => {
  expect([read("abc"), read("abd"), read("abc")]).toEqual(["abc\0", "abd\0", "abc\0"]);
});
