/** Values in a SQL text. `test/parts/location/odd-values.test.ts` stores such values in a real database. */
import { expect, it } from "vitest";
import { literal, literalRows } from "./literal.ts";

it("harmless text is readable, and numbers and NULL are as they are", () => {
  expect(["sip:bob@10.0.0.1:5060;x=y?a&b", "", 0.25, -7, 1_800_000_000_123, null].map(literal)).toEqual([
    "'sip:bob@10.0.0.1:5060;x=y?a&b'",
    "''",
    "0.25",
    "-7",
    "1800000000123",
    "NULL",
  ]);
});

it("no byte can end a literal: everything but harmless ASCII is in hexadecimal digits", () => {
  for (let code = 0; code < 0x300; code++) {
    const text = literal(`a${String.fromCharCode(code)}`);
    expect(text).toMatch(/^(?:'[ !#-&(-[\]-~]*'|_utf8mb4 x'[0-9a-f]+')$/);
  }
  expect(["a'b", 'a"b', "a\\", "ü", "😀", "a\n", "\0"].map(literal)).toEqual([
    "_utf8mb4 x'612762'",
    "_utf8mb4 x'612262'",
    "_utf8mb4 x'615c'",
    "_utf8mb4 x'c3bc'",
    "_utf8mb4 x'f09f9880'",
    "_utf8mb4 x'610a'",
    "_utf8mb4 x'00'",
  ]);
});

it("a number that no column can hold is refused", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => literal(value)).toThrow(RangeError);
});

it("rows are lists of literals and expressions", () => {
  expect(
    literalRows([
      ["1", "NOW()"],
      ["2", "'b'"],
    ]),
  ).toBe("(1,NOW()),\n(2,'b')"); // prettier-ignore
});
