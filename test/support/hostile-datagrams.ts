/** What senders without an account send to an exchange: each kind as a function that makes another datagram each time. */
import { damage, plainMessage, randomShards, writeMessage } from "../fuzz/mutate.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { type HeaderLine, writeSip } from "./sip-text.ts";

export type HostileKind = keyof typeof makers;

/** Returns the text of a datagram, one character for each byte. `domain`: a served one. */
export function hostileDatagram(kind: HostileKind, random: SeededRandom, domain: string): string {
  return makers[kind](random, domain);
}

const word = (random: SeededRandom): string => random.below(2 ** 31).toString(36);

function request(
  random: SeededRandom,
  method: string,
  uri: string,
  more: readonly HeaderLine[] = [],
  { to = uri, from = uri, toTag = "" } = {},
): string {
  return writeSip(`${method} ${uri} SIP/2.0`, [
    [
      "Via",
      `SIP/2.0/UDP 192.0.2.${random.below(250)}:${1_024 + random.below(60_000)};branch=z9hG4bK${word(random)};rport`,
    ],
    ["Max-Forwards", "70"],
    ["From", `<${from}>;tag=${word(random)}`],
    ["To", `<${to}>${toTag === "" ? "" : `;tag=${toTag}`}`],
    ["Call-ID", `${word(random)}${word(random)}`],
    ["CSeq", `${1 + random.below(1_000)} ${method}`],
    ["Contact", `<sip:x@192.0.2.${random.below(250)}>`],
    ...more,
  ]);
}

/** Right in form, and wrong: the nonce is not the exchange's. */
const credentials = (random: SeededRandom, domain: string, uri: string): string =>
  `Digest username="100", realm="${domain}", nonce="${word(random)}.k.${"a".repeat(28)}", uri="${uri}", ` +
  `response="${"0".repeat(32)}", algorithm=MD5, qop=auth, nc=00000001, cnonce="${word(random)}"`;

const user = (random: SeededRandom, domain: string): string => `sip:${100 + random.below(9_900)}@${domain}`;

const makers = {
  bytes: (random: SeededRandom) =>
    Array.from({ length: 1 + random.below(400) }, () => String.fromCharCode(random.below(256))).join(""),
  shards: (random: SeededRandom) => randomShards(random),
  damaged: (random: SeededRandom) => damage(random, writeMessage(plainMessage(random))),
  keepalive: (random: SeededRandom) => random.pick(["\r\n", "\r\n\r\n", "\0", "\0\0\0\0"]),
  scanner: (random: SeededRandom, domain: string) =>
    request(random, random.pick(["OPTIONS", "REGISTER", "INVITE"]), user(random, domain), [
      ["User-Agent", random.pick(["friendly-scanner", "sipcli/v1.8", "sipvicious"])],
    ]),
  "other domain": (random: SeededRandom) =>
    request(random, random.pick(["OPTIONS", "REGISTER", "INVITE"]), `sip:${random.below(1_000)}@192.0.2.77`),
  options: (random: SeededRandom, domain: string) => request(random, "OPTIONS", `sip:${domain}`),
  register: (random: SeededRandom, domain: string) =>
    request(random, "REGISTER", `sip:${domain}`, [], {
      to: user(random, domain),
      from: user(random, domain),
    }),
  guess: (random: SeededRandom, domain: string) =>
    request(
      random,
      "REGISTER",
      `sip:${domain}`,
      [["Authorization", credentials(random, domain, `sip:${domain}`)]],
      {
        to: `sip:100@${domain}`,
        from: `sip:100@${domain}`,
      },
    ),
  invite: (random: SeededRandom, domain: string) => request(random, "INVITE", user(random, domain)),
  "invite with a guess": (random: SeededRandom, domain: string) =>
    request(random, "INVITE", user(random, domain), [
      ["Proxy-Authorization", credentials(random, domain, user(random, domain))],
    ]),
  message: (random: SeededRandom, domain: string) => request(random, "MESSAGE", user(random, domain)),
  subscribe: (random: SeededRandom, domain: string) =>
    request(random, "SUBSCRIBE", user(random, domain), [["Event", "presence"]]),
  cancel: (random: SeededRandom, domain: string) => request(random, "CANCEL", user(random, domain)),
  ack: (random: SeededRandom, domain: string) =>
    request(random, "ACK", user(random, domain), [], { toTag: word(random) }),
  bye: (random: SeededRandom, domain: string) =>
    request(random, "BYE", user(random, domain), [["Route", `<sip:${word(random)}@203.0.113.1;lr>`]], {
      toTag: word(random),
    }),
  "reply of a stranger": (random: SeededRandom, domain: string) =>
    writeSip(`SIP/2.0 ${random.pick(["100 Trying", "180 Ringing", "200 OK", "486 Busy Here"])}`, [
      ["Via", `SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bK${word(random)};rport`],
      ["Via", `SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK${word(random)};received=192.0.2.1;rport=5060`],
      ["From", `<${user(random, domain)}>;tag=${word(random)}`],
      ["To", `<${user(random, domain)}>;tag=${word(random)}`],
      ["Call-ID", word(random)],
      ["CSeq", `1 ${random.pick(["INVITE", "BYE", "REGISTER"])}`],
    ]),
  "many headers": (random: SeededRandom, domain: string) =>
    request(
      random,
      "INVITE",
      user(random, domain),
      Array.from({ length: 150 }, (_, i) => [`X-${i}`, "y".repeat(random.below(200))] as const),
    ),
  "many Routes": (random: SeededRandom, domain: string) =>
    request(random, "INVITE", user(random, domain), [
      ["Route", Array.from({ length: 40 }, (_, i) => `<sip:r${i}.${word(random)}.example;lr>`).join(", ")],
    ]),
  "no Max-Forwards left": (random: SeededRandom, domain: string) =>
    request(random, "INVITE", user(random, domain)).replace("Max-Forwards: 70", "Max-Forwards: 0"),
  "required extension": (random: SeededRandom, domain: string) =>
    request(random, random.pick(["REGISTER", "INVITE"]), `sip:${domain}`, [
      ["Require", "a,b"],
      ["Proxy-Require", "a,b"],
    ]),
} as const satisfies Readonly<Record<string, (random: SeededRandom, domain: string) => string>>;

export const hostileKinds = Object.keys(makers) as readonly HostileKind[];
