/** Lists of values (RFC 3261 §7.3.1). */
import { describe, expect, it } from "vitest";
import { requestOf } from "../../../test/support/sip-message.ts";
import { maxListValues } from "./limits.ts";
import { parseList, valueEnd } from "./list-values.ts";
import { problem } from "./problem.ts";

describe("valueEnd", () => {
  it.each([
    ["a,b", "a"],
    ['"a,b",c', '"a,b"'],
    ['"a\\",b",c', '"a\\",b"'],
    ["<a,b>,c", "<a,b>"],
    ['<a",b>,c', '<a",b>'],
    ['"a,b', '"a,b'],
    ["", ""],
  ])("of %j the first value is %j", (text, value) => {
    expect(text.slice(0, valueEnd(text, 0, text.length))).toBe(value);
  });
});

describe("parseList", () => {
  const read = (value: string | string[]) =>
    parseList(requestOf("INVITE", "sip:b@h", { Route: value }), "route", (text, from, to) =>
      text.slice(from, to).trim(),
    );

  it("the values of all fields are one list, in order", () => {
    expect(read(["<sip:a>, <sip:b>", "<sip:c>"])).toEqual(["<sip:a>", "<sip:b>", "<sip:c>"]);
  });

  it("an empty field adds no value", () => expect(read("")).toEqual([]));

  it("the number of values is limited", () => {
    expect(read(new Array<string>(maxListValues).fill("<sip:a>").join(","))).toHaveLength(maxListValues);
    expect(read(new Array<string>(maxListValues + 1).fill("<sip:a>").join(","))).toMatchObject({
      status: 400,
    });
  });

  it("returns the problem of the first invalid value", () => {
    const request = requestOf("INVITE", "sip:b@h", { Route: "a, b" });
    expect(
      parseList(request, "route", (text, from) => (text[from] === " " ? problem("no") : 1)),
    ).toMatchObject({ reason: "no" });
  });
});
