/**
 * The parsers return a value or a problem for any input, in limited time (P6). For accepted input, offsets are inside the text, values are
 * within their limits, and edits leave the rest unchanged. STROWGER_SEED repeats a failed run, and
 * STROWGER_FUZZ_SECONDS makes a long one (`survive.ts`).
 */
import { describe, expect, it, vi } from "vitest";
import { createSeal } from "../../sip-node/src/auth/create-seal.ts";
import {
  decodeFrame,
  encodeFrame,
  packFlows,
  unpackFlows,
  unpackMessage,
  unpackNumbers,
} from "../../sip-node/src/cluster/frame.ts";
import { addressesOf } from "../../sip-node/src/proxy/addresses.ts";
import { isOwnViaBranch, readViaBranch } from "../../sip-node/src/proxy/via-branch.ts";
import { openToken } from "../../sip-node/src/proxy/flow-token.ts";
import { requestCopy } from "../../sip-node/src/proxy/request-copy.ts";
import { preprocess } from "../../sip-node/src/proxy/preprocess.ts";
import { validate } from "../../sip-node/src/proxy/validate.ts";
import { buildResponse } from "../../sip-node/src/wire/build-response.ts";
import { isUriText } from "../../sip-node/src/wire/characters.ts";
import { parseContacts } from "../../sip-node/src/wire/contact.ts";
import { findDigestCredentials, parseDigestCredentials } from "../../sip-node/src/wire/digest-credentials.ts";
import { flowOf, parseFlowKey } from "../../sip-node/src/wire/flow.ts";
import {
  maxContactsPerRegister,
  maxFieldBytes,
  maxFields,
  maxMessageBytes,
} from "../../sip-node/src/wire/limits.ts";
import type { Message } from "../../sip-node/src/wire/message.ts";
import { parameter, parseNameAddr } from "../../sip-node/src/wire/name-addr.ts";
import { parseMessage } from "../../sip-node/src/wire/parse-message.ts";
import { isProblem } from "../../sip-node/src/wire/problem.ts";
import { parseHostPort, parseUri } from "../../sip-node/src/wire/uri.ts";
import { parseVia } from "../../sip-node/src/wire/via.ts";
import { survive, fuzzTimeout } from "./survive.ts";
import { damage, plainMessage, randomShards, writeMessage } from "./mutate.ts";

vi.setConfig({ testTimeout: fuzzTimeout });

const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const seal = createSeal(ring, "flow token", () => 1);
const addresses = addressesOf({ host: "203.0.113.1", port: 5060 });
const source = flowOf("192.0.2.1", 5060);

function checkMessage(message: Message): void {
  let at = message.text.indexOf("\r\n") + 2;
  for (const field of message.fields) {
    expect(field.start).toBe(at);
    expect(field.valueStart).toBeGreaterThan(field.start);
    expect(field.valueEnd).toBeGreaterThanOrEqual(field.valueStart);
    expect(field.end).toBeGreaterThanOrEqual(field.valueEnd + 2);
    at = field.end;
  }
  expect(message.bodyStart).toBe(at + 2);
  expect(message.text.slice(0, message.bodyStart)).not.toMatch(/[^\r]\n|\r[^\n]/);
  expect(isUriText(message.to.uri) && isUriText(message.from.uri)).toBe(true);
}

/** Checks that the forwarded copy of an accepted request is valid, and differs only where it must. */
function checkForwarding(message: Message): void {
  if (message.kind !== "request") return;
  parseContacts(message);
  const valid = validate(message, addresses);
  const path = preprocess(message, addresses, seal);
  if (valid.kind === "reject" || path.kind !== "path") return;
  const { maxForwards } = valid;
  const input = {
    request: message,
    source,
    edits: path.edits,
    maxForwards,
    target: { uri: "sip:t@h", flow: source },
    viaBranch: "z9hG4bKours",
    recordRoute: "r",
  };
  const copy = parseMessage(requestCopy(input, addresses));
  expect(copy).toMatchObject({
    kind: "request",
    method: message.method,
    callId: message.callId,
    cseq: message.cseq,
    uri: "sip:t@h",
  });
  if (copy.kind !== "request") return;
  expect(copy.via.branch).toBe("z9hG4bKours");
  const untouched = (one: Message) =>
    one.fields
      .filter(({ name }) => !["via", "route", "record-route", "max-forwards"].includes(name))
      .map((field) => one.text.slice(field.start, field.end));
  expect(untouched(copy)).toEqual(untouched(message));
  expect(copy.text.slice(copy.bodyStart)).toBe(message.text.slice(message.bodyStart));
}

function tryMessage(text: string): void {
  const message = parseMessage(text);
  if (message.kind === "malformed") {
    expect(message.problem.reason.length).toBeLessThan(400);
    const { method, via, problem } = message;
    if (method === undefined || via === undefined) return;
    const response = buildResponse(
      { text: message.text, fields: message.fields, via },
      source,
      problem.status,
      problem.reason,
      "t",
    );
    expect(response.split("\r\n")[0]).toMatch(/^SIP\/2\.0 [45]\d\d [^\r\n]*$/);
    return;
  }
  checkMessage(message);
  checkForwarding(message);
}

describe("datagrams", () => {
  it("valid ones are accepted", () => {
    survive(
      "well-formed",
      400,
      (random) => writeMessage(plainMessage(random)),
      (text) => {
        expect(parseMessage(text).kind).toMatch(/request|response/);
        tryMessage(text);
      },
    ); // prettier-ignore
  });

  it("damaged ones are accepted or malformed", () => {
    survive("damaged", 4_000, (random) => damage(random, writeMessage(plainMessage(random))), tryMessage);
  });

  it("random shards", () => survive("shards", 1_500, randomShards, tryMessage));

  it("random bytes", () => {
    survive(
      "bytes",
      500,
      (random) =>
        Array.from({ length: random.below(300) }, () => String.fromCharCode(random.below(256))).join(""),
      tryMessage,
    );
  });
});

it("every value parser returns for any text", () => {
  survive(
    "values",
    3_000,
    (random) =>
      random.below(2) === 0
        ? randomShards(random)
        : damage(random, writeMessage(plainMessage(random)).split("\r\n")[2 + random.below(5)] ?? ""),
    (text) => {
      parseVia(text, 0, text.length);
      parseNameAddr(text, 0, text.length, "To");
      parameter(text, "tag");
      const uri = parseUri(text);
      if (!isProblem(uri)) expect(uri.host).toMatch(/^[0-9a-f:.]+$|^[a-z0-9_.-]+$/);
      parseHostPort(text);
      parseFlowKey(text);
      parseDigestCredentials(`Digest ${text}`);
      readViaBranch(`z9hG4bK${text}`);
      isOwnViaBranch(`z9hG4bK${text}`, "c", "f", seal);
      openToken(text, "c", "t", seal);
    },
  ); // prettier-ignore
});

describe("digest credentials", () => {
  const value =
    'Digest username="bob", realm="example.com", nonce="abc.k.def", uri="sip:example.com", response="00112233445566778899aabbccddeeff", algorithm=MD5, qop=auth, nc=00000001, cnonce="x\\"y"';

  it("damaged ones return credentials, a problem or undefined", () => {
    survive(
      "digest",
      3_000,
      (random) => damage(random, value),
      (text) => {
        const found = parseDigestCredentials(text);
        if (found !== undefined && !isProblem(found)) expect(found.nc ?? "0").toMatch(/^[0-9a-f]{1,8}$/i);
      },
    ); // prettier-ignore
  });

  it("the result never contains credentials of another realm", () => {
    survive(
      "realms",
      300,
      (random) => damage(random, value),
      (text) => {
        const message = {
          text,
          fields: [
            {
              name: "authorization" as const,
              start: 0,
              valueStart: 0,
              valueEnd: text.length,
              end: text.length,
            },
          ],
        };
        const found = findDigestCredentials(message, "authorization", "other.example");
        if (!isProblem(found)) for (const { realm } of found) expect(realm).toBe("other.example");
      },
    ); // prettier-ignore
  });
});

describe("frames between nodes", () => {
  const body = packFlows([source, flowOf("2001:db8::1", 5060)]);
  const frame = encodeFrame({ kind: "announceFlows", from: "0123456789ab", number: 77, body }, seal);

  it("a damaged one is refused", () => {
    expect(decodeFrame(frame, seal)?.number).toBe(77);
    survive(
      "frames",
      1_500,
      (random) => damage(random, frame.toString("latin1")),
      (text) => {
        const bytes = Buffer.from(text, "latin1");
        if (!bytes.equals(frame)) expect(decodeFrame(bytes, seal)).toBeUndefined();
      },
    ); // prettier-ignore
  });

  it("any body is unpacked without an error", () => {
    survive(
      "bodies",
      1_500,
      (random) => (random.below(2) === 0 ? randomShards(random) : damage(random, body.toString("latin1"))),
      (text) => {
        const bytes = Buffer.from(text, "latin1");
        for (const flow of unpackFlows(bytes)) if (flow) expect(parseFlowKey(flow.key)).toEqual(flow);
        unpackMessage(bytes);
        unpackNumbers(bytes);
      },
    ); // prettier-ignore
  });
});

describe("the largest and slowest datagrams take a few milliseconds", () => {
  const head = "INVITE sip:b@h SIP/2.0\r\n";
  const tail = "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n";
  const via = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
  const fill = (text: string, bytes = maxFieldBytes - 100): string =>
    text.repeat(Math.floor(bytes / text.length));
  const slow: Readonly<Record<string, string>> = {
    "spaces before a fold": `${head}${via}Proxy-Require: ${fill(" ")}x\r\n y\r\n${tail}`,
    "spaces in received": `${head}Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=${fill(" ")}a b\r\n${tail}`,
    "parameters without a value": `${head}Via: SIP/2.0/UDP h;branch=z9hG4bK1${fill(";a")};rport\r\n${tail}${"x".repeat(40_000)}`,
    "quotes and backslashes": `${head}${via}Contact: "${fill('\\"')}" <sip:a@h>\r\n${tail}`,
    "unclosed quotes": `${head}${via}Route: ${fill('"a,')}\r\n${tail}`,
    commas: `${head}${via}Route: ${fill(",")}\r\n${tail}`,
    "many routes": `${head}${via}${"Route: <sip:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@203.0.113.1;lr>\r\n".repeat(60)}${tail}`,
    "fields without end": `${head}${via}${"a:b\r\n".repeat(13_000)}${tail}`,
    "folds without end": `${head}${via}X: ${"\r\n ".repeat(20_000)}\r\n${tail}`,
    "line feeds": "\n".repeat(maxMessageBytes),
    CRLFs: "\r\n".repeat(32_000),
    colons: `${head}${":".repeat(maxMessageBytes)}`,
    brackets: `${head}${via}Contact: ${fill("<")}\r\n${tail}`,
    digits: `${head}${via}Expires: ${fill("9")}\r\nMax-Forwards: ${fill("0")}\r\n${tail}`,
    percents: `INVITE sip:${"%25".repeat(600)}@h SIP/2.0\r\n${via}${tail}`,
    credentials: `${head}${via}Proxy-Authorization: Digest ${fill('a="b",')}\r\n${tail}`,
  };

  it.each(Object.entries(slow))("%s", (_, text) => {
    const start = performance.now();
    for (let i = 0; i < 5; i++) {
      tryMessage(text);
      const message = parseMessage(text);
      if (message.kind === "request") findDigestCredentials(message, "proxy-authorization", "x");
    }
    expect((performance.now() - start) / 5).toBeLessThan(500); // a hang, not a speed: quadratic work takes seconds
  });

  it("the limits are those that the tests assume", () => {
    expect([maxFields, maxContactsPerRegister]).toEqual([200, 16]);
  });
});
