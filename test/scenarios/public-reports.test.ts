/**
 * Public bug reports of other SIP software, reproduced on whole nodes. Each test names the report. The messages are our own text with the same
 * peculiarity.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { domain, type Exchange } from "../support/exchange.ts";
import { registerPhones, useExchange } from "../support/scenario.ts";
import { header, headerList, parseSip, type SipText, status, uriOf } from "../support/sip-text.ts";
import { refuse, ring, type VirtualPhone } from "../support/virtual-phone.ts";

const currentExchange = useExchange("ab");
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** Changes each message that the phone sends from now on. */
function edit(phone: VirtualPhone, change: (text: string) => string): void {
  const send = phone.send.bind(phone);
  phone.send = (text) => send(change(text));
}

/** The messages that reached a phone, in order. */
const received = (exchange: Exchange, phone: VirtualPhone): SipText[] =>
  exchange.net.sent.filter(({ to }) => phone.places.includes(to)).map(({ text }) => parseSip(text));

const bindings = async (exchange: Exchange, username: string) =>
  ((await exchange.services.store.bindings([{ username, domain }]))[0]?.bindings ?? []).filter(
    ({ expiresIn }) => expiresIn > 0,
  );

async function answered(
  exchange: Exchange,
  ...attempts: readonly { readonly status: number }[]
): Promise<void> {
  await exchange.net.until("all are answered", () => attempts.every((attempt) => attempt.status > 0), 60_000);
}

describe("REGISTER", () => {
  it("kamailio 4926: a Contact with letters after its port is refused, and no later response lists it", async () => {
    const exchange = currentExchange();
    const [bob] = await registerPhones(exchange, "bob@a");
    const broken = bob!.register("<sip:bob@192.0.2.10:5060transport=udp>");
    await answered(exchange, broken);
    const query = bob!.register("");
    await answered(exchange, query);
    expect(broken.status).toBe(400);
    expect(headerList(query.final!, "contact").map(uriOf)).toEqual([bob!.contact]);
  });

  it("kamailio 6 and linphone-desktop 458: another Call-ID and another port of one instance is one binding", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    const contact = (port: number) =>
      `<sip:bob@10.0.0.9:${port}>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-00000000000b>"`;
    for (const port of [40_001, 40_002, 40_003]) {
      edit(bob, (text) => text.replace(/^Call-ID: .*$/m, `Call-ID: renewal-${port}`));
      const attempt = bob.register(contact(port));
      await answered(exchange, attempt);
      expect(headerList(attempt.final!, "contact").map(uriOf)).toEqual([`sip:bob@10.0.0.9:${port}`]);
    }
    expect(await bindings(exchange, "bob")).toHaveLength(1);
  });

  it("asterisk 702: the granted time does not shrink when the phone requests the time that it was granted", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a", isBehindNat: false });
    let asked = 180;
    for (let refresh = 0; refresh < 5; refresh++) {
      const attempt = bob.register(undefined, { expires: asked });
      await answered(exchange, attempt);
      asked = Number(/expires=(\d+)/.exec(header(attempt.final!, "contact"))?.[1]);
      await exchange.net.pass(1_500);
    }
    expect(asked).toBe(180);
  });

  it("flexisip 25: received and rport of the phone are replaced by the source address", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    edit(bob, (text) => text.replace(/;rport\r/, ";rport=53901;received=192.0.2.77\r"));
    const attempt = bob.register();
    await answered(exchange, attempt);
    expect(attempt.status).toBe(200);
    const [address, port] = bob.place.split(":");
    expect(header(attempt.final!, "via")).toContain(`rport=${port}`);
    expect(header(attempt.final!, "via")).toContain(`received=${address}`);
    expect(header(attempt.final!, "via")).not.toContain("192.0.2.77");
  });

  it("kamailio 3848: after a removal with * the phone registers again, and is called", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@b", "bob@a");
    for (let round = 0; round < 3; round++) {
      const removal = bob!.register("*", { expires: 0 });
      await answered(exchange, removal);
      expect([removal.status, await bindings(exchange, "bob")]).toEqual([200, []]);
      const again = bob!.register();
      await answered(exchange, again);
      expect(again.status).toBe(200);
    }
    const call = alice!.call("bob");
    await answered(exchange, call);
    expect([call.status, bob!.incomingCalls.length]).toEqual([200, 1]);
  });
});

describe("credentials", () => {
  const parameter = (text: string, name: string): string =>
    new RegExp(`[ ,]${name}="?([^",\\r]*)`).exec(/uthorization: (.*)\r/.exec(text)?.[1] ?? "")?.[1] ?? "";

  it("sipdroid 33: credentials without nc and cnonce, as in RFC 2069, are refused with the reason (ADR 8)", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    edit(bob, (text) => {
      if (!text.includes("Authorization: ")) return text;
      const [realm, nonce, uri] = ["realm", "nonce", "uri"].map((name) => parameter(text, name));
      const response = md5(`${md5(`bob:${realm}:bob`)}:${nonce}:${md5(`REGISTER:${uri}`)}`);
      return text.replace(
        /^Authorization: .*$/m,
        `Authorization: Digest username="bob", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`,
      );
    });
    const attempt = bob.register();
    await answered(exchange, attempt);
    expect([attempt.status, attempt.final?.startLine]).toEqual([
      400,
      "SIP/2.0 400 credentials: expected qop=auth",
    ]);
  });

  it("JsSIP 15 and sip.js 118: an unquoted cnonce and a quoted algorithm are accepted", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    edit(bob, (text) =>
      text.replace(/cnonce="([^"]*)"/, "cnonce=$1").replace("algorithm=MD5", 'algorithm="MD5"'),
    );
    const attempt = bob.register();
    await answered(exchange, attempt);
    expect(attempt.status).toBe(200);
  });

  it("sip.js 118: the challenge quotes qop, and neither algorithm nor stale", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    const attempt = bob.register(undefined, { password: "wrong" });
    await answered(exchange, attempt);
    const challenge = header(attempt.final!, "www-authenticate");
    expect(challenge).toMatch(/algorithm=MD5/);
    expect(challenge).toMatch(/qop="auth"/);
    expect(challenge).not.toMatch(/stale="/);
  });

  it("gsm-sip-bridge 21: after a wrong digest with a high nc, the phone's next nc is accepted", async () => {
    const exchange = currentExchange();
    const [alice] = await registerPhones(exchange, "alice@a", "bob@b");
    const call = alice!.call("bob");
    await answered(exchange, call);
    const invite = exchange.net.sent.find(
      ({ from, text }) => from === alice!.place && text.includes("Proxy-Authorization"),
    )!;
    const next = (nc: string, isRight: boolean, number: number) => {
      const [realm, nonce, uri, cnonce] = ["realm", "nonce", "uri", "cnonce"].map((name) =>
        parameter(invite.text, name),
      );
      const right = md5(
        `${md5(`alice:${realm}:alice`)}:${nonce}:${nc}:${cnonce}:auth:${md5(`INVITE:${uri}`)}`,
      );
      alice!.send(
        invite.text
          .replace(/branch=[^;]*/, `branch=z9hG4bK-nc-${number}`)
          .replace(/CSeq: \d+/, `CSeq: ${number}`)
          .replace(/nc=\d+/, `nc=${nc}`)
          .replace(/response="[^"]*"/, `response="${isRight ? right : md5("guess")}"`),
      );
    };
    const codes = (number: number) =>
      received(exchange, alice!)
        .filter((message) => header(message, "cseq") === `${number} INVITE`)
        .map(status);
    next("00009999", false, 71);
    await exchange.net.pass(500);
    next("00000002", true, 72);
    await exchange.net.pass(500);
    expect(codes(71)).toEqual([407]);
    expect(codes(72)).toContain(200);
  });

  it("sipp 123: qop=auth-int, which was not offered, is refused and the phone is challenged again", async () => {
    const exchange = currentExchange();
    const bob = exchange.phone({ username: "bob", on: "a" });
    edit(bob, (text) => text.replace("qop=auth,", "qop=auth-int,"));
    const attempt = bob.register();
    await answered(exchange, attempt);
    expect([400, 401]).toContain(attempt.status);
    expect(await bindings(exchange, "bob")).toEqual([]);
  });
});

describe("calls", () => {
  it("siphon-sip 243: a retransmitted CANCEL, also to another node, is answered with 200 again; the caller gets one 487", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    bob!.answering = ring;
    const call = alice!.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    exchange.net.lose(
      ({ to, text }) =>
        to === alice!.place && /CSeq: \d+ CANCEL/.test(text) && text.startsWith("SIP/2.0 200"),
    );
    const cancel = call.cancel();
    await exchange.net.pass(100);
    exchange.move(alice!, "b");
    await exchange.net.pass(2_000);
    expect([cancel.status, call.status, bob!.incomingCalls[0]!.status]).toEqual([200, 487, 487]);
    expect(cancel.responses.map(status)).toEqual([200]);
    const cancels = received(exchange, bob!).filter(({ startLine }) => startLine.startsWith("CANCEL "));
    expect(new Set(cancels.map((one) => header(one, "via"))).size).toBe(1);
  });

  it("pjsip 280: a CANCEL with the CSeq number of the challenged INVITE cancels the INVITE with its branch", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    bob!.answering = ring;
    const call = alice!.call("bob");
    await exchange.net.until("it rings", () => call.isRinging);
    edit(alice!, (text) => text.replace(/^CSeq: \d+ CANCEL/m, "CSeq: 1 CANCEL"));
    const cancel = call.cancel();
    await exchange.net.pass(2_000);
    expect([cancel.status, call.status, bob!.incomingCalls[0]!.status]).toEqual([200, 487, 487]);
  });

  it("opensips 957: a Route of this cluster with an unknown transport is accepted", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    const call = alice!.call("bob");
    await exchange.net.until("the call is up", () => bob!.incomingCalls[0]?.isAcknowledged === true);
    edit(bob!, (text) => text.replace(/^(Route: <[^>]*)>/m, "$1;transport=invalid>"));
    const bye = bob!.within(bob!.dialogs[0]!, "BYE");
    await answered(exchange, bye);
    expect([call.status, bye.status, alice!.requests.length]).toEqual([200, 200, 1]);
  });

  it("opensips 1812 and pjsip 1725: an ACK to the first INVITE during a re-INVITE reaches the callee and does not end the re-INVITE", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    const call = alice!.call("bob");
    call.acknowledges = false;
    await exchange.net.until("answered", () => call.status === 200);
    const again = alice!.within(call.dialog, "INVITE");
    alice!.acknowledge(call.dialog, header(call.final!, "cseq"));
    await exchange.net.pass(3_000);
    expect([again.status, bob!.incomingCalls[0]!.isAcknowledged, bob!.reinvites.length]).toEqual([
      200,
      true,
      1,
    ]);
    expect(bob!.reinvites[0]!.isAcknowledged).toBe(true);
  });

  it("opensips 734: an INVITE with a body and no Content-Type rings", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    const call = alice!.call("bob");
    await answered(exchange, call);
    expect([call.status, bob!.incomingCalls[0]!.invite.body]).toEqual([200, "v=0\r\n"]);
    expect(header(bob!.incomingCalls[0]!.invite, "content-type")).toBe("");
  });

  it("opensips 1756: a foreign Route with lr after its brackets is not taken for a Route of this cluster", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    edit(alice!, (text) =>
      text.startsWith("INVITE ")
        ? text.replace(
            "\r\nMax-Forwards",
            "\r\nRoute: <sip:192.0.2.99:5065>;transport=tls;lr\r\nMax-Forwards",
          )
        : text,
    );
    const call = alice!.call("bob");
    await answered(exchange, call);
    expect([call.status >= 400, bob!.incomingCalls.length]).toEqual([true, 0]);
    expect(exchange.net.sent.some(({ to }) => to.startsWith("192.0.2.99"))).toBe(false);
  });

  it("opensips 1756: a Route of this cluster with lr after its brackets is accepted", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    edit(alice!, (text) =>
      text.startsWith("INVITE ")
        ? text.replace("\r\nMax-Forwards", "\r\nRoute: <sip:203.0.113.1:5060>;lr\r\nMax-Forwards")
        : text,
    );
    const call = alice!.call("bob");
    await answered(exchange, call);
    expect([call.status, bob!.incomingCalls.length]).toEqual([200, 1]);
  });

  it("kamailio 2436: the ACK to a refused re-INVITE is sent by the node, and the caller's ACK is not forwarded", async () => {
    const exchange = currentExchange();
    const [alice, bob] = await registerPhones(exchange, "alice@a", "bob@b");
    const call = alice!.call("bob");
    await exchange.net.until("the call is up", () => bob!.incomingCalls[0]?.isAcknowledged === true);
    bob!.dialogs.length = 0; // the callee has lost its dialog and answers 481
    const again = alice!.within(call.dialog, "INVITE");
    await answered(exchange, again);
    await exchange.net.pass(1_000);
    expect([again.status, bob!.reinvites[0]!.isAcknowledged]).toEqual([481, true]);
    const acks = received(exchange, bob!).filter(
      (one) =>
        one.startLine.startsWith("ACK ") &&
        header(one, "cseq") === header(bob!.reinvites[0]!.invite, "cseq").replace("INVITE", "ACK"),
    );
    expect(acks.map((ack) => headerList(ack, "via").length)).toEqual([1]);
  });
});

describe("messages that broke other parsers", () => {
  const send = async (phone: VirtualPhone, exchange: Exchange, text: string) => {
    const before = received(exchange, phone).length;
    phone.send(text.replaceAll("\n", "\r\n"));
    await exchange.net.pass(1_000);
    return received(exchange, phone).slice(before).map(status);
  };
  const options = (phone: VirtualPhone, head: string, rest = "") => `OPTIONS sip:example.com SIP/2.0
${head}Via: SIP/2.0/UDP ${phone.place};branch=z9hG4bK-${head.length}-${rest.length};rport
From: <sip:bob@example.com>;tag=1
To: <sip:example.com>
Call-ID: broken-${head.length}-${rest.length}
CSeq: 1 OPTIONS
${rest}Content-Length: 0

`;

  it("sngrep 114: a From with an empty user part is refused once, with a reason", async () => {
    const exchange = currentExchange();
    const [bob] = await registerPhones(exchange, "bob@a");
    const codes = await send(
      bob!,
      exchange,
      options(bob!, "", "").replace("<sip:bob@example.com>", "<sip:@192.0.2.1>"),
    );
    expect(codes).toHaveLength(1);
    expect(codes[0]).toBeGreaterThanOrEqual(200);
  });

  it("opensips 2187: an invalid line before Via is answered with 400 when Via is readable", async () => {
    const exchange = currentExchange();
    const [bob] = await registerPhones(exchange, "bob@a");
    expect(await send(bob!, exchange, options(bob!, "this line has no colon\n"))).toEqual([400]);
  });

  it("kirm/sip.js 136: a CSeq that is not a number is answered with 400", async () => {
    const exchange = currentExchange();
    const [bob] = await registerPhones(exchange, "bob@a");
    expect(await send(bob!, exchange, options(bob!, "").replace("CSeq: 1 OPTIONS", "CSeq: abcdefg"))).toEqual(
      [400],
    );
  });

  it("opensips 2793: a PUBLISH with an invalid Event and Expires causes no error", async () => {
    const exchange = currentExchange();
    const [bob, alice] = await registerPhones(exchange, "bob@a", "alice@b");
    const codes = await send(
      bob!,
      exchange,
      options(bob!, "", "Event: ;;;\nExpires: -1x\n")
        .replaceAll("OPTIONS", "PUBLISH")
        .replace("sip:example.com", "sip:bob@example.com"),
    );
    expect(codes.every((code) => code >= 400)).toBe(true);
    const call = alice!.call("bob");
    bob!.answering = refuse(486);
    await answered(exchange, call);
    expect(call.status).toBe(486);
  });
});
