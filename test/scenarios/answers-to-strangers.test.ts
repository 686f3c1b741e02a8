/**
 * What a stranger gets for one datagram with a forged source: not more bytes than it sent, plus a constant, also when the database is slow; and
 * no header field that it invented. docs/threat-model.md refers to these tests.
 */
import { expect, it } from "vitest";
import type { Exchange } from "../support/exchange.ts";
import { hostileDatagram, hostileKinds } from "../support/hostile-datagrams.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { damage } from "../fuzz/mutate.ts";

const currentExchange = useExchange("ab");
/** Longer than every retransmission. */
const lifetime = 40_000;
/** A challenge has about 200 bytes, a Warning or a reason fewer. */
const constant = 300;

const bytesTo = ({ net }: Exchange, place: string) =>
  net.sent.filter(({ to }) => to === place).reduce((sum, { bytes }) => sum + bytes.length, 0);

it.each([2, 150, 600, 3_000])(
  "with a database that takes %i ms no answer is longer than its datagram and a constant",
  async (takes) => {
    const exchange = currentExchange();
    await registerPhones(exchange, "100@a");
    exchange.databaseTakes = takes;
    const random = seededRandom("amplification");
    const sent = new Map<string, [kind: string, bytes: number]>();
    for (let i = 0; i < 6 * hostileKinds.length; i++) {
      const kind = hostileKinds[i % hostileKinds.length]!;
      const text = hostileDatagram(kind, random, "example.com");
      const place = `203.0.113.${100 + (i % 100)}:${2_000 + i}`;
      sent.set(place, [kind, text.length]);
      exchange.forge("ab"[i % 2]!, text, place);
    }
    await exchange.net.pass(lifetime);
    for (const [place, [kind, bytes]] of sent)
      expect(bytesTo(exchange, place) - bytes, `${kind} ${random.seed}`).toBeLessThanOrEqual(constant);
    expect(bytesTo(exchange, [...sent].find(([, [kind]]) => kind === "invite")![0])).toBeGreaterThan(0);
  },
  60_000,
);

it.each(["away", "slow"])(
  "with a database that is %s, INVITEs and the INVITE of a CANCEL are answered once",
  async (database) => {
    const exchange = currentExchange();
    exchange.services.store.isAway = database === "away";
    exchange.databaseTakes = 1_000;
    const random = seededRandom("cancelled");
    const invite = hostileDatagram("invite", random, "example.com");
    const cancel = invite.replace("INVITE", "CANCEL").replace(/ INVITE\r\n/, " CANCEL\r\n");
    const [invited, cancelled] = ["203.0.113.201:5062", "203.0.113.202:5062"];
    exchange.forge("a", hostileDatagram("invite", random, "example.com"), invited);
    exchange.forge("a", invite, cancelled);
    await exchange.net.pass(100);
    exchange.forge("a", cancel, cancelled);
    await exchange.net.pass(lifetime);
    const answers = (place: string) =>
      exchange.net.sent.filter(({ to }) => to === place).map(({ text }) => text.slice(8, 11));
    expect(answers(invited)).toEqual([database === "away" ? "500" : "407"]);
    expect(answers(cancelled)).toEqual(["200", "487"]);
  },
);

/** What this exchange writes into its own responses. */
const ownFields =
  /^(Via|v|From|f|To|t|Call-ID|i|CSeq|Timestamp|Content-Length|WWW-Authenticate|Proxy-Authenticate|Warning|Unsupported|Allow|Accept|Supported|Retry-After|Date|Contact|Min-Expires|Accept-Encoding|Accept-Language)$/i;

it("no damaged value becomes a header field, a line or a second response", async () => {
  const exchange = currentExchange();
  const random = seededRandom("injection");
  const planted = [
    "\r\nX-Evil: 1",
    "\nX-Evil: 1",
    "\rX-Evil: 1",
    "%0d%0aX-Evil: 1",
    '"\r\n X-Evil: 1',
    "\r\n\r\nSIP/2.0 200 OK",
    "\0X-Evil: 1",
    "\u0085X-Evil: 1",
  ];
  for (let i = 0; i < 1_500; i++) {
    let text = hostileDatagram(random.pick(hostileKinds), random, "example.com");
    const at = random.below(text.length);
    if (i % 2 === 0) text = text.slice(0, at) + random.pick(planted) + text.slice(at);
    else text = damage(random, text);
    exchange.forge("a", text, `203.0.113.${random.below(250)}:${2_000 + random.below(9_000)}`);
    if (i % 50 === 0) await exchange.net.pass(20);
  }
  await exchange.net.pass(1_000);
  const answers = exchange.net.sent.filter(
    ({ to, from }) => to.startsWith("203.0.113.") && !to.endsWith(":5060") && from !== to,
  );
  expect(answers.length).toBeGreaterThan(200);
  for (const { text } of answers) {
    if (text === "\r\n") continue;
    const [head = "", body] = text.split("\r\n\r\n");
    expect(body, `${random.seed} ${text}`).toBe("");
    const [status = "", ...lines] = head.split("\r\n");
    expect(status, random.seed).toMatch(/^SIP\/2\.0 [1-6]\d\d [^\x00-\x1f\x7f]*$/);
    for (const line of lines) {
      if (/^[ \t]/.test(line)) continue; // a fold of the sender's own field
      expect(line.slice(0, line.indexOf(":")).trim(), `${random.seed} ${text}`).toMatch(ownFields);
    }
  }
}, 60_000);
