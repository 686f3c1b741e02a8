import { expect, test } from "vitest";
import { JsonLines } from "./json-lines.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("documents are returned when their lines end, wherever the stream is cut, also inside a character", () => {
  const stream = bytes('{"a":"ä€"}\n{"b":2}\n\n{"c":3}\n');
  for (let size = 1; size <= stream.length; size += 1) {
    const lines = new JsonLines();
    const seen: unknown[] = [];
    for (let at = 0; at < stream.length; at += size) seen.push(...lines.push(stream.subarray(at, at + size)));
    expect(seen).toEqual([{ a: "ä€" }, { b: 2 }, { c: 3 }]);
  }
});

test("a line without an end is refused before it fills the memory", () => {
  const lines = new JsonLines();
  const chunk = bytes("x".repeat(1024 * 1024));
  expect(() => {
    for (let round = 0; round < 20; round += 1) lines.push(chunk);
  }).toThrow("longer than");
});

test("a line that is not JSON is refused", () => {
  expect(() => new JsonLines().push(bytes("<html>\n"))).toThrow();
});

test("the limit is for one line: many lines, whole or in parts, do not reach it", () => {
  const lines = new JsonLines();
  const text = "x".repeat(512 * 1024);
  for (let round = 0; round < 40; round += 1) {
    expect(lines.push(bytes(`"${text}`))).toEqual([]);
    expect(lines.push(bytes(`${text}"\n`))).toHaveLength(1);
  }
});
