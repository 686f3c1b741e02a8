/** Messages from streams, in any segmentation. */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../test/support/seeded-random.ts";
import { maxMessageBytes } from "./limits.ts";
import { StreamFramer } from "./stream-framer.ts";

const message = (body = "", length = `Content-Length: ${body.length}`) =>
  `MESSAGE sip:bob@example.com SIP/2.0\r\nCall-ID: 1\r\n${length}\r\n\r\n${body}`;

/** Pushes the text in pieces of `size` characters. */
function frame(text: string, size = text.length) {
  const framer = new StreamFramer();
  const messages: string[] = [];
  for (let at = 0; at < text.length; at += size) {
    const framed = framer.push(Buffer.from(text.slice(at, at + size), "latin1"));
    messages.push(...framed.messages);
    if (framed.problem !== undefined) return { messages, problem: framed.problem, framer };
  }
  return { messages, problem: undefined, framer };
}

describe("a stream of messages, cut anywhere", () => {
  const first = message("hello\r\n\r\nworld");
  const second = message("", "l : 0");
  const third = message("\xff\x00bytes");
  const expected = [first, second, "\r\n\r\n", third];
  const stream = `\r\n${first}${second}\r\n\r\n${third}\r\n`;

  it.each([1, 2, 3, 5, 7, 50, 10_000])("in pieces of %i bytes", (size) => {
    const { messages, problem } = frame(stream, size);
    expect([messages, problem]).toEqual([expected, undefined]);
  });

  it("in pieces of any size, a hundred times", () => {
    const random = seededRandom("segments");
    for (let run = 0; run < 100; run++) {
      const framer = new StreamFramer();
      const messages: string[] = [];
      for (let at = 0; at < stream.length; ) {
        const end = at + 1 + random.below(60);
        messages.push(...framer.push(Buffer.from(stream.slice(at, end), "latin1")).messages);
        at = end;
      }
      expect(messages, random.seed).toEqual(expected);
    }
  });
});

it("a ping is answered when its second CRLF arrives, and a CRLF alone is not", () => {
  const framer = new StreamFramer();
  expect(framer.push(Buffer.from("\r\n")).messages).toEqual([]);
  expect(framer.isPartial).toBe(false);
  expect(framer.push(Buffer.from("\r")).messages).toEqual([]);
  expect(framer.push(Buffer.from("\n")).messages).toEqual(["\r\n\r\n"]);
  expect(framer.isPartial).toBe(false);
});

it("bytes that the caller changes later do not change a message", () => {
  const framer = new StreamFramer();
  const bytes = Buffer.from(message("hello"), "latin1");
  const part = bytes.subarray(0, 30);
  framer.push(part);
  const rest = Buffer.from(bytes.subarray(30));
  part.fill(0);
  expect(framer.push(rest).messages).toEqual([message("hello")]);
});

describe("where the next message begins is unknown: the connection has to be closed", () => {
  it.each([
    ["no Content-Length", message("", "X: 1"), "no Content-Length"],
    ["a name that ends like it", message("", "X-Content-Length: 0"), "no Content-Length"],
    ["two of them", message("", "Content-Length: 0\r\nl: 0"), "more than one Content-Length"],
    ["a negative one", message("", "Content-Length: -1"), "Content-Length is not a number of bytes"],
    ["two numbers", message("", "Content-Length: 1 2"), "Content-Length is not a number of bytes"],
    [
      "too many bytes",
      message("", `Content-Length: ${maxMessageBytes}`),
      /^a message of \d+ bytes, at most 65535$/,
    ],
    ["a header section without an end", "a".repeat(maxMessageBytes + 1), "a header section without an end"],
  ])("%s; the messages before it are delivered", (_, wrong, problem) => {
    const { messages, problem: found } = frame(message() + wrong, 1_000);
    expect(messages).toEqual([message()]);
    expect(found).toMatch(problem);
  });
});

it("the rest of a body that is longer than its Content-Length is the begin of the next message", () => {
  const { messages } = frame(message("hello", "Content-Length: 2") + message());
  expect(messages).toEqual([message("he", "Content-Length: 2"), `llo${message()}`]);
});

it("a message of the largest size, a byte at a time, is copied a few times only", () => {
  const framer = new StreamFramer();
  const bytes = Buffer.from(message("x".repeat(60_000)), "latin1");
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at++) found.push(...framer.push(bytes.subarray(at, at + 1)).messages);
  expect(found).toEqual([bytes.toString("latin1")]);
});
