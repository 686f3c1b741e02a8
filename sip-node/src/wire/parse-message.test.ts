/** Valid and malformed messages (RFC 3261 §7, §18.3, §20). */
import { describe, expect, it } from "vitest";
import { requestOf, requestText, responseText } from "../../../test/support/sip-message.ts";
import { fieldValue } from "./fields.ts";
import {
  maxFieldBytes,
  maxFields,
  maxMessageBytes,
  maxMethodBytes,
  maxTokenBytes,
  maxUriBytes,
} from "./limits.ts";
import { parseMessage } from "./parse-message.ts";

const bob = "sip:bob@example.com";
const invite = requestText("INVITE", bob);
/** The status of the problem, or "accepted". */
const verdict = (text: string): number | "accepted" => {
  const message = parseMessage(text);
  return message.kind === "malformed" ? message.problem.status : "accepted";
};
const withField = (line: string): string => invite.replace("Max-Forwards", `${line}\r\nMax-Forwards`);

describe("start line (§7.1, §7.2)", () => {
  it("a request line gives method and Request-URI as written", () => {
    const request = requestOf("SUBSCRIBE", "SIP:Bob%20B@EXAMPLE.com;x=Y");
    expect(request).toMatchObject({
      kind: "request",
      method: "SUBSCRIBE",
      uri: "SIP:Bob%20B@EXAMPLE.com;x=Y",
    });
  });

  it.each([
    ["SIP/2.0 180 Ringing", 180, "Ringing"],
    ["SIP/2.0 200 ", 200, ""],
    ["SIP/2.0 200", 200, ""],
    ["sip/2.0 486 Busy Here", 486, "Busy Here"],
  ])("§7.1: the status line %j is read, the version without case", (line, status, reason) => {
    const message = parseMessage(responseText(200, "OK").replace("SIP/2.0 200 OK", line));
    expect(message).toMatchObject({ kind: "response", status, reason });
  });

  it.each(["SIP/2.0 99 Low", "SIP/2.0 700 High", "SIP/2.0 2000 Long", "SIP/2.0 xyz Word", "SIP/3.0 200 OK"])(
    "the status line %j is malformed and, without a method, never answered",
    (line) => {
      const message = parseMessage(responseText(200, "OK").replace("SIP/2.0 200 OK", line));
      expect(message).toMatchObject({ kind: "malformed", method: undefined });
    },
  );

  it.each(["sip/2.0", "Sip/2.0", "siP/2.0"])(
    "§7.1: the version %s is accepted, and becomes upper case",
    (version) => {
      for (const text of [invite, responseText(200, "OK")]) {
        const message = parseMessage(text.replace("SIP/2.0", version));
        expect([message.kind === "malformed", message.text]).toEqual([false, text]);
      }
    },
  );

  it.each(["SIP/3.0/UDP", "SIP/1.0/UDP", "sip/2.1/TCP", "SIP/20.0/UDP"])(
    "§21.5.6: a Via of %s is refused with 505, and the response has that Via",
    (protocol) => {
      const text = invite.replace(/Via: SIP\/2\.0\/UDP/, `Via: ${protocol}`);
      expect(verdict(text)).toBe(505);
      expect(parseMessage(text)).toMatchObject({ via: { branch: expect.any(String) as string } });
    },
  );

  it.each([
    ["INVITE sip:bob@example.com SIP/7.0", 505],
    ["INVITE sip:bob@example.com SIP/2.0 ", 400],
    ["INVITE sip:bob@example.com HTTP/1.1", 400],
    ["INVITE sip:bob@example.com", 400],
    ["INVITE  sip:bob@example.com SIP/2.0", 400],
    ["INVITE sip:bob@example.com  SIP/2.0", 400],
    ["INVITE sip:bob@exam ple.com SIP/2.0", 400],
    ["INVITE <sip:bob@example.com> SIP/2.0", 400],
    ["INVITE sip:bob@example.com\x00 SIP/2.0", 400],
    ["IN<VITE sip:bob@example.com SIP/2.0", 400],
    [`${"M".repeat(maxMethodBytes + 1)} sip:bob@example.com SIP/2.0`, 400],
    [`INVITE sip:${"b".repeat(maxUriBytes)}@example.com SIP/2.0`, 414],
  ])("the request line %j is refused with %i", (line, status) => {
    expect(verdict(invite.replace("INVITE sip:bob@example.com SIP/2.0", line))).toBe(status);
  });

  it("§7.5: CRLFs before the start line are skipped, and offsets count from the start line", () => {
    const message = parseMessage(`\r\n\r\n\r\n${invite}`);
    expect(message.text).toBe(invite);
    expect(message.kind).toBe("request");
  });

  it.each(["", "\r\n", "\r\n\r\n", "\r", "\n", "\0\0\0\0", "x"])(
    "%j is malformed and does not throw",
    (text) => {
      expect(parseMessage(text)).toMatchObject({ kind: "malformed", method: undefined, via: undefined });
    },
  );
});

describe("header fields (§7.3)", () => {
  it("§7.3.3: compact forms are the same fields", () => {
    const text =
      "OPTIONS sip:bob@example.com SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=1\r\n" +
      "t: <sip:b@h>\r\ni: c1\r\nCSeq: 7 OPTIONS\r\nm: <sip:a@h>\r\nk: path\r\no: presence\r\nc: text/plain\r\nl: 2\r\n\r\nhi";
    const message = parseMessage(text);
    expect(message.kind).toBe("request");
    expect(message.fields.map(({ name }) => name)).toEqual([
      "via",
      "from",
      "to",
      "call-id",
      "cseq",
      "contact",
      "supported",
      "event",
      "content-type",
      "content-length",
    ]); // prettier-ignore
  });

  it("§7.3.1: names in any case, white space before the colon, folds of values", () => {
    const request = requestOf("INVITE", bob, {
      "mAx-FoRwArDs  ": "  0068 ",
      "Max-Forwards": undefined,
      Require: "a,\r\n\t b",
    });
    expect(fieldValue(request, "max-forwards")).toBe("0068");
    expect(fieldValue(request, "require")).toBe("a, b");
  });

  it("a fold is accepted directly after the colon and inside CSeq, Via and a tag", () => {
    const request = requestOf("INVITE", bob, {
      CSeq: "0009\r\n  INVITE",
      Via: "SIP  / 2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ;branch =\r\n z9hG4bK9",
      From: "\r\n <sip:alice@example.com> ;\r\n  tag\r\n = a1",
    });
    expect(request.cseq).toEqual({ number: 9, method: "INVITE" });
    expect(request.via).toMatchObject({
      transport: "UDP",
      host: "192.0.2.2",
      port: 5070,
      branch: "z9hG4bK9",
    });
    expect(request.from.tag).toBe("a1");
  });

  it.each([
    ["all lines", invite.replaceAll("\r\n", "\n")],
    ["one header line", invite.replace("Max-Forwards: 70\r\n", "Max-Forwards: 70\n")],
    ["the last header line", invite.replace("Content-Length: 0\r\n", "Content-Length: 0\n")],
    ["a folded line", withField("Subject: a\r\n b\nX: y")],
    ["the request line", invite.replace("SIP/2.0\r\n", "SIP/2.0\n")],
  ])("a line that ends with LF alone is refused with 400: %s", (_, text) => {
    expect(verdict(text)).toBe(400);
  });

  it("a CR alone, and a LF in the reason phrase, are refused: a phone might read another header there", () => {
    expect(verdict(withField("Subject: a\rVia: SIP/2.0/UDP evil"))).toBe(400);
    expect(verdict(responseText(200, "OK\nVia: SIP/2.0/UDP evil"))).toBe(400);
  });

  it.each([
    ["a line without a colon", "Subject"],
    ["a name that is not a token", "Sub ject: x"],
    ["an empty name", ": x"],
    ["a value that is too long", `Subject: ${"x".repeat(maxFieldBytes + 1)}`],
  ])("%s is refused with 400, and the top Via is known for the response", (_, line) => {
    expect(parseMessage(withField(line))).toMatchObject({
      kind: "malformed",
      method: "INVITE",
      problem: { status: 400 },
      via: { host: "192.0.2.1" },
    }); // prettier-ignore
  });

  it("after an invalid line, all fields that the response needs are read", () => {
    const text = invite.replace("\r\nVia", "\r\nSubject\r\nVia");
    expect(parseMessage(text)).toMatchObject({
      kind: "malformed",
      problem: { status: 400, reason: "a header line without a colon" },
      via: { host: "192.0.2.1" },
    });
  });

  it("the number of lines is limited, invalid lines included", () => {
    const lines = new Array<string>(maxFields + 1).fill("Subject").join("\r\n");
    expect(parseMessage(invite.replace("\r\nVia", `\r\n${lines}\r\nVia`))).toMatchObject({
      kind: "malformed",
      via: undefined,
    });
  });

  it("a fold as the first header line is refused", () => {
    expect(verdict(invite.replace("\r\nVia", "\r\n Via"))).toBe(400);
  });

  it("the number of fields is limited", () => {
    const lines = (count: number): string => new Array<string>(count).fill("X: y").join("\r\n");
    expect(verdict(withField(lines(maxFields - 7)))).toBe("accepted");
    expect(verdict(withField(lines(maxFields - 6)))).toBe(400);
  });

  it("a message that is too long is refused with 513", () => {
    expect(verdict(requestText("MESSAGE", bob, {}, "x".repeat(maxMessageBytes)))).toBe(513);
  });

  it("text in UTF-8 keeps its bytes, one character for each", () => {
    const subject = Buffer.from("Grüße, 日本", "utf8").toString("latin1");
    const message = parseMessage(withField(`Subject: ${subject}`));
    expect(Buffer.from(message.text, "latin1").toString("utf8")).toContain("Subject: Grüße, 日本\r\n");
  });
});

describe("mandatory fields (§8.1.1)", () => {
  it.each(["Via", "From", "To", "Call-ID", "CSeq"])("without %s the request is refused with 400", (name) => {
    expect(verdict(requestText("INVITE", bob, { [name]: undefined }))).toBe(400);
  });

  it.each([
    ["From", "<sip:x@h>"],
    ["To", "<sip:x@h>"],
    ["Call-ID", "other"],
    ["CSeq", "1 INVITE"],
    ["Content-Length", "0"],
  ])("two %s fields are refused: two hops might read two messages", (name, value) => {
    const text = requestText("INVITE", bob, { Subject: "x" }).replace("Subject: x", `${name}: ${value}`);
    expect(verdict(text)).toBe(400);
  });

  it.each([
    ["Call-ID", ""],
    ["Call-ID", "a b"],
    ["Call-ID", "x".repeat(maxTokenBytes + 1)],
    ["CSeq", "INVITE"],
    ["CSeq", "-1 INVITE"],
    ["CSeq", "2147483648 INVITE"],
    ["CSeq", "36893488147419103232 INVITE"],
    ["CSeq", "1"],
    ["CSeq", "1 BYE"],
    ["CSeq", "1 invite"],
    ["From", "sip:alice@example.com;tag=a b"],
    ["From", "<sip:alice@example.com;tag=1"],
    ["From", '"Alice <sip:alice@example.com>;tag=1'],
    ["From", "<sip:a@h>;tag=1, <sip:b@h>;tag=2"],
    ["To", "<>"],
    ["Via", "SIP/2.0/UDP"],
    ["Via", "HTTP/2.0/UDP h"],
  ])("%s: %j is refused with 400", (name, value) => {
    expect(verdict(requestText("INVITE", bob, { [name]: value }))).toBe(400);
  });

  it("CSeq 2^31-1 is the highest number (§8.1.1.5)", () => {
    expect(requestOf("INVITE", bob, { CSeq: "2147483647 INVITE" }).cseq.number).toBe(2_147_483_647);
  });

  it("a From without a tag is accepted, as RFC 2543 phones send it (§8.2.6.2)", () => {
    expect(requestOf("INVITE", bob, { From: "sip:alice@example.com" }).from.tag).toBeUndefined();
  });
});

describe("body (§18.3)", () => {
  const message = (length: string | undefined, body: string): string =>
    requestText("MESSAGE", bob, { "Content-Length": length }, body);

  it("bytes after the body are dropped", () => {
    const read = parseMessage(message("2", "hi there"));
    expect(read.text.endsWith("\r\n\r\nhi")).toBe(true);
  });

  it("without Content-Length the body is the rest of the datagram", () => {
    const read = parseMessage(message(undefined, "hi there"));
    expect(read.text.endsWith("\r\n\r\nhi there")).toBe(true);
  });

  it.each(["3", "-1", "1e1", "99999", "", "2, 2"])(
    "Content-Length %j for two bytes is refused with 400",
    (length) => {
      expect(verdict(message(length, "hi"))).toBe(400);
    },
  );

  it("a message without the empty line is refused", () => {
    expect(verdict(invite.slice(0, -2))).toBe(400);
  });
});
