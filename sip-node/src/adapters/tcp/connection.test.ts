/** Limits of one connection. Its socket is a stream in memory. */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { beforeEach, expect, it } from "vitest";
import { Connection } from "./connection.ts";
import { maxIdleTime, maxMessageTime, maxUnread } from "./connection-limits.ts";

const message = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";

let now: number;
let received: string[];
let reasons: (string | undefined)[];
let socket: Duplex;
let connection: Connection;

beforeEach(() => {
  [now, received, reasons] = [1_000, [], []];
  socket = new Duplex({ read: () => {}, write: () => {} }); // what is written is never read
  const ends = Object.assign(socket, { remoteAddress: "192.0.2.1", remotePort: 5060 });
  connection = new Connection(ends as unknown as Socket, () => now, {
    message: (text, { key }) => received.push(`${key} ${text}`),
    closed: (reason) => reasons.push(reason),
  });
});

const arrive = (text: string): boolean => socket.emit("data", Buffer.from(text));
const settled = () => new Promise((resolve) => setImmediate(resolve));
async function checkAfter(time: number): Promise<readonly (string | undefined)[]> {
  now += time;
  connection.check(now);
  await settled();
  return reasons;
}

it("a message has the flow of its connection", () => {
  arrive(message.slice(0, 20));
  arrive(message.slice(20));
  expect(received).toEqual([`tcp:192.0.2.1:5060 ${message}`]);
});

it("a message that takes too long closes it, however often a byte arrives", async () => {
  arrive(message);
  for (const byte of message.slice(0, 10)) {
    now += maxMessageTime / 10;
    arrive(byte);
  }
  expect(await checkAfter(0)).toEqual([]);
  expect(await checkAfter(maxMessageTime)).toEqual(["slow"]);
});

it("a single CRLF is no message that takes too long", async () => {
  arrive("\r\n");
  expect(await checkAfter(maxMessageTime + 1)).toEqual([]);
  arrive(message);
  expect(received).toHaveLength(1);
});

it("a stranger without messages is closed, a phone that has authenticated is not", async () => {
  connection.isStranger = false;
  expect(await checkAfter(10 * maxIdleTime)).toEqual([]);
  connection.isStranger = true;
  arrive("\r\n\r\n");
  expect(await checkAfter(maxIdleTime)).toEqual([]);
  expect(await checkAfter(1)).toEqual(["idle"]);
});

it("bytes that are no message close it after the messages before them", async () => {
  arrive(`${message}X: 1\r\n\r\n`);
  await settled();
  expect([received.length, reasons]).toEqual([1, ["malformed"]]);
});

it("a peer that does not read is closed before much waits, and nothing more is accepted", async () => {
  let sent = 0;
  while (connection.send("x".repeat(1_000)) && sent < 10_000) sent += 1;
  expect(sent).toBeLessThan(maxUnread / 1_000 + 1);
  await settled();
  expect([reasons, connection.send("x")]).toEqual([["unread"], false]);
});
