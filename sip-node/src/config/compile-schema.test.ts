/** Problems of a file: each names the path, the expected value, and the value found. */
import { expect, it } from "vitest";
import { compileSchema } from "./compile-schema.ts";

const validate = compileSchema({
  type: "object",
  description: "an object",
  properties: {
    list: {
      type: "array",
      default: [],
      description: "a list",
      items: {
        type: "object",
        description: "an item",
        required: ["size"],
        properties: { size: { type: "integer", minimum: 2, description: "a whole number of at least 2" } },
      },
    },
    address: { type: "string", format: "host-port", maxLength: 80, description: "host:port" },
    secret: { type: "string", writeOnly: true, description: "a text" },
  },
});

function problemsOf(json: unknown): readonly string[] {
  const problems: string[] = [];
  validate(json, "file", problems);
  return problems;
}

it("a valid file gets the defaults of the schema", () => {
  expect(validate({ address: "[2001:db8::1]:0" }, "file", [])).toEqual({
    address: "[2001:db8::1]:0",
    list: [],
  });
});

it.each([
  [
    "a field of an item",
    { list: [{ size: 2 }, { size: 1 }] },
    ".list[1].size: expected a whole number of at least 2; found 1",
  ],
  ["a missing field", { list: [{}] }, ".list[0].size: expected a whole number of at least 2; found nothing"],
  ["an item of another type", { list: [null] }, ".list[0]: expected an item; found nothing"],
  ["an object instead of a list", { list: {} }, ".list: expected a list; found an object"],
  [
    "a long text, which is quoted in part",
    { address: "x".repeat(70) },
    `.address: expected host:port; found "${"x".repeat(64)}"`,
  ],
  [
    "a text that is too long",
    { address: `${"h".repeat(78)}:50` },
    ".address: expected at most 80 characters; found 81",
  ],
  ["a secret, which is not quoted", { secret: 1234 }, ".secret: expected a text; found another value"],
])("%s", (_, json, problem) => {
  expect(problemsOf(json)).toEqual([`file${problem}`]);
});

it("all problems of a file are reported", () => {
  expect(problemsOf({ list: [{ size: "2" }], address: 1, secret: [] })).toHaveLength(3);
});
