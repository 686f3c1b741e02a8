/** Random valid messages, and random damage to them. */
import type { SeededRandom } from "../support/seeded-random.ts";

const methods = ["INVITE", "REGISTER", "MESSAGE", "OPTIONS", "BYE", "ACK", "SUBSCRIBE", "X-Y.z"];
const hosts = ["example.com", "192.0.2.1", "a-b.example.org", "h"];
const users = ["bob", "alice", "+4930123", "b.o-b_1", "100"];
const names = ["", "Bob ", '"B, ob" ', '"a \\"b\\" c" '];
const params = ["", ";lr", ";transport=udp", ";x=1;y"];

const word = (random: SeededRandom, length = 8): string =>
  Array.from({ length: 1 + random.below(length) }, () => random.pick([..."abcdefXYZ0189-._"])).join("");

/** The parts of a message, for `writeMessage`. */
export interface Plain {
  readonly startLine: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const uri = (random: SeededRandom): string =>
  `sip:${random.pick(users)}@${random.pick(hosts)}${random.pick(["", ":5060", ":5062"])}${random.pick(params)}`;
const address = (random: SeededRandom, tag: boolean): string =>
  `${random.pick(names)}<${uri(random)}>${tag ? `;tag=${word(random)}` : ""}${random.pick(["", ";p=1"])}`;

export function plainMessage(random: SeededRandom): Plain {
  const method = random.pick(methods);
  const isRequest = random.below(4) > 0;
  const via = () =>
    `SIP/2.0/UDP ${random.pick(hosts)}${random.pick(["", ":5060"])};branch=z9hG4bK${word(random)}${random.pick(["", ";rport"])}`;
  const body = random.pick(["", "", "v=0\r\ns=-\r\n", "hello"]);
  const headers: [string, string][] = [
    ["Via", via()],
    ["Max-Forwards", String(random.below(71))],
    ["From", address(random, true)],
    ["To", address(random, random.below(2) === 0)],
    ["Call-ID", `${word(random)}@${random.pick(hosts)}`],
    ["CSeq", `${random.below(2 ** 31)} ${method}`],
  ];
  if (random.below(2) === 0) headers.push(["Via", via()]);
  if (random.below(2) === 0) headers.push(["Contact", `${address(random, false)};expires=60`]);
  if (random.below(3) === 0) headers.push(["Route", `<${uri(random)}>, <${uri(random)}>`]);
  if (random.below(3) === 0) headers.push(["Subject", word(random, 40)]);
  headers.push(["Content-Length", String(body.length)]);
  const startLine = isRequest
    ? `${method} ${uri(random)} SIP/2.0`
    : `SIP/2.0 ${100 + random.below(600)} ${word(random)}`;
  return { startLine, headers, body };
}

export const writeMessage = ({ startLine, headers, body }: Plain): string =>
  `${startLine}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;

/** Texts that often cause parser errors. */
const shards = [
  "\r\n",
  "\n",
  "\r",
  "\r\n ",
  "\r\n\r\n",
  "\0",
  "\t",
  " ",
  '"',
  "\\",
  "<",
  ">",
  "<>",
  ",",
  ";",
  ":",
  "=",
  "@",
  "?",
  "%",
  "%zz",
  "[",
  "]",
  "[::1]",
  "sip:",
  "SIP/2.0",
  ";tag=",
  ";branch=",
  "*",
  "Via:",
  "v:",
  "l: 5\r\n",
  "\xff\xfe",
  "\u00a0",
  "99999999999999999999",
  "-1",
  ";;;",
  "((((",
  "::::",
  "a".repeat(300),
  '"'.repeat(31),
  "\\".repeat(64),
  " ".repeat(200),
]; // prettier-ignore

/** Returns the text with parts of it removed, repeated, replaced or inserted. */
export function damage(random: SeededRandom, text: string): string {
  let result = text;
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(result.length + 1);
    const end = Math.min(result.length, at + random.below(random.pick([2, 10, 80])));
    switch (random.below(5)) {
      case 0:
        result = result.slice(0, at) + result.slice(end);
        break;
      case 1:
        result = result.slice(0, end) + result.slice(at);
        break;
      case 2:
        result = result.slice(0, at) + String.fromCharCode(random.below(256)) + result.slice(at + 1);
        break;
      case 3:
        result = result.slice(0, at);
        break;
      default:
        result = result.slice(0, at) + random.pick(shards) + result.slice(random.below(2) === 0 ? at : end);
    }
  }
  return result;
}

/** Returns a text of shards only. */
export const randomShards = (random: SeededRandom): string =>
  Array.from({ length: random.below(24) }, () => random.pick([...shards, word(random)])).join("");
