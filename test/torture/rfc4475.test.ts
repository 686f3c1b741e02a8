/**
 * The peculiarities of RFC 4475's torture messages in our own text, by section, with the result of this proxy. Where a section describes the
 * behaviour of a user agent (an unknown Content-Type, an unknown disposition), a proxy forwards the message.
 */
import { describe, expect, it } from "vitest";
import { parseContacts, parseExpires } from "../../sip-node/src/wire/contact.ts";
import { fieldValue } from "../../sip-node/src/wire/fields.ts";
import type { Request } from "../../sip-node/src/wire/message.ts";
import { parameter } from "../../sip-node/src/wire/name-addr.ts";
import { parseMessage } from "../../sip-node/src/wire/parse-message.ts";
import { isProblem } from "../../sip-node/src/wire/problem.ts";
import { parseUri } from "../../sip-node/src/wire/uri.ts";
import { message, verdict } from "./verdict.ts";

const common = [
  "Via: SIP/2.0/UDP ua.example.net:5060;branch=z9hG4bKtorture",
  "Max-Forwards: 70",
  "From: <sip:caller@example.net>;tag=f1",
  "To: <sip:callee@example.com>",
  "Call-ID: torture@ua.example.net",
];
/** A valid request. Lines replace those with the same name, and others are added. */
function request(method: string, uri: string, lines: readonly string[] = [], body = ""): string {
  const nameOf = (line: string) => (line.split(":")[0] ?? "").trim().toLowerCase();
  const given = new Set(lines.map(nameOf));
  const kept = [...common, `CSeq: 8 ${method}`, `Content-Length: ${body.length}`].filter(
    (line) => !given.has(nameOf(line)),
  );
  return message([`${method} ${uri} SIP/2.0`, ...kept, ...lines], body);
}
const uri = "sip:callee@example.com";
function read(text: string): Request {
  const found = parseMessage(text);
  if (found.kind !== "request") throw new Error(JSON.stringify(found));
  return found;
}

describe("3.1.1 valid messages", () => {
  it("3.1.1.1 a short tortuous INVITE: folds, odd white space, escapes, empty and unknown headers, compact forms", () => {
    const text = message(
      [
        "INVITE sip:callee@gateway.example.com;someparam SIP/2.0",
        "TO :",
        " sip:callee@gateway.example.com ;   tag    = 1234567890n",
        'from   : "C A Ller \\\\\\""       <sip:caller@example.net>',
        "  ;",
        "  tag = 77kl3",
        "MaX-fOrWaRdS: 0068",
        "Call-ID: tortuous.abc@192.0.2.1",
        "Content-Length   : 4",
        "cseq: 0009",
        "  INVITE",
        "Via  : SIP  /   2.0",
        " /UDP",
        "    192.0.2.2;branch=390xkduw",
        "s :",
        "NovelHeader:   a new value",
        " that goes on",
        "HeaderWithOddValue: ;;,,;;,;",
        "Content-Type: application/sdp",
        "Route:",
        " <sip:203.0.113.1;lr;other=value;flag>",
        "v:  SIP  / 2.0  / TCP     hop.example.com   ;",
        "  branch  =   z9hG4bK9xyz  ,",
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=",
        " z9hG4bK30987",
        'm:"A \\"\\" B" <sip:caller@example.net> ; newparam =',
        "      newvalue ;",
        "  secondparam ; q = 0.33",
      ],
      "v=0\n",
    );
    const parsed = read(text);
    expect(parsed.cseq).toEqual({ number: 9, method: "INVITE" });
    expect(parsed).toMatchObject({
      to: { tag: "1234567890n" },
      from: { tag: "77kl3", uri: "sip:caller@example.net" },
    });
    expect(parsed.via).toMatchObject({ transport: "UDP", host: "192.0.2.2", branch: "390xkduw" });
    const contacts = parseContacts(parsed);
    expect(isProblem(contacts) || contacts.kind === "star" ? contacts : contacts.contacts).toMatchObject([
      { uri: "sip:caller@example.net", q: 330 },
    ]);
    expect(verdict(text)).toBe("accepted");
  });

  it("3.1.1.2 a wide range of valid characters: in the method, the tags, the display name, the Call-ID", () => {
    const odd = "!interesting-Method0123456789_*+`.%indeed'~";
    const text = request(odd, "sip:1_odd.!~*'()&=+$,;?/:pw&=+$,@example.com", [
      'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7F" <sip:1_odd.!~*\'()&=+$,;?/@example.com>',
      "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;odd''!.*%-_+`~param=\"x\";tag=_token~1'+`*%!-.",
      "Call-ID: odd.%Z0>-!.*_+'@word`~)(><:\\/\"][?}{",
      `CSeq: 139122385 ${odd}`,
    ]);
    expect(read(text).from.tag).toBe("_token~1'+`*%!-.");
    expect(verdict(text)).toBe("accepted");
  });

  it("3.1.1.3 valid use of the % escape: user parts are compared unescaped, and never become a header", () => {
    const text = request("INVITE", "sip:sips%3Auser%40example.com@example.net", [
      "To: sip:%75se%72@example.com",
      "From: <sip:I%20have%20spaces@example.net>;tag=938",
    ]);
    expect(parseUri(read(text).uri)).toMatchObject({ user: "sips:user@example.com", host: "example.net" });
    expect(verdict(text)).toBe("accepted");
  });

  it("3.1.1.4 escaped nulls in URIs", () => {
    expect(
      parseUri(read(request("REGISTER", "sip:example.com", ["To: <sip:null-%00-null@example.com>"])).to.uri),
    ).toMatchObject({
      user: "null-\0-null",
    });
  });

  it("3.1.1.5 % without an escape, in a method and a display name", () => {
    const text = request("RE%47IST%45R", uri, ['From: "%Z%45" <sip:resource@example.com>;tag=f1']);
    expect(read(text).method).toBe("RE%47IST%45R");
    expect(verdict(text)).toBe("accepted");
  });

  it("3.1.1.6 no white space between display name and <", () => {
    const text = request("OPTIONS", uri, ["From: caller<sip:caller@example.com>;tag=323"]);
    expect(read(text).from).toMatchObject({ uri: "sip:caller@example.com", tag: "323" });
  });

  it("3.1.1.7 long values: names, tags, Call-ID and branch of several hundred bytes", () => {
    const long = "really".repeat(100);
    const text = request("INVITE", uri, [
      `From: "${long}" <sip:${long}@example.net;p${long}=${long}>;tag=${long};u${long}=${long}`,
      `Call-ID: ${long}`,
      `Via: SIP/2.0/TCP ${long}.example.com;branch=z9hG4bK${long}`,
      `X-${long}: ${long}`,
    ]);
    expect(verdict(text)).toBe("accepted");
  });

  it("3.1.1.8 bytes after the body are not part of the message", () => {
    const text = request("REGISTER", "sip:example.com", ["Content-Length: 0"]);
    expect(parseMessage(`${text}INVITE sip:other@example.com SIP/2.0\r\nBogus`).text).toBe(text);
  });

  it("3.1.1.9 semicolons in the user part are part of it", () => {
    const text = request("OPTIONS", "sip:user;par=u%40example.net@example.com");
    expect(parseUri(read(text).uri)).toMatchObject({
      user: "user;par=u@example.net",
      host: "example.com",
      parameters: "",
    });
  });

  it("3.1.1.10 several and unknown transports in Via are accepted", () => {
    const transports = ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"];
    const text = request(
      "OPTIONS",
      uri,
      transports.map((one, i) => `Via: SIP/2.0/${one} t${i}.example.com;branch=z9hG4bK${i}`),
    );
    expect(verdict(text)).toBe("accepted");
  });

  it("3.1.1.11 a multipart body with binary data is unchanged", () => {
    const body = "--7a9c\r\nContent-Type: application/pkcs7-mime\r\n\r\n\x00\x82\r\n\n\xff\r\n--7a9c--\r\n";
    const text = request("MESSAGE", uri, ["Content-Type: multipart/mixed;boundary=7a9c"], body);
    expect(parseMessage(text).text).toBe(text);
    expect(verdict(text)).toBe("accepted");
  });

  it("3.1.1.12 and 3.1.1.13 reason phrases: with non-ASCII text, and empty", () => {
    const reason = Buffer.from("= 2**3 * 5**2 но сто", "utf8").toString("latin1");
    const lines = [...common, "CSeq: 35 INVITE", "Content-Length: 0"];
    expect(parseMessage(message([`SIP/2.0 200 ${reason}`, ...lines]))).toMatchObject({
      kind: "response",
      reason,
    });
    expect(parseMessage(message(["SIP/2.0 100 ", ...lines]))).toMatchObject({
      kind: "response",
      status: 100,
      reason: "",
    });
  });
});

describe("3.1.2 invalid messages", () => {
  it("3.1.2.1 extraneous separators in header values: 400 in fields that are parsed", () => {
    const text = request("INVITE", uri, ["Via: SIP/2.0/UDP 192.0.2.15;;,;,,"]);
    expect(verdict(text)).not.toBe("accepted");
    expect(verdict(request("INVITE", uri, ['Contact: "" <> ;,"Joe" <sip:joe@example.org>;;;;']))).toBe(
      "accepted",
    ); // a proxy reads no Contact
  });

  it("3.1.2.2 Content-Length larger than the message: 400", () => {
    expect(verdict(request("INVITE", uri, ["Content-Length: 9999"], "v=0\r\n"))).toBe(400);
  });

  it("3.1.2.3 negative Content-Length: 400", () =>
    expect(verdict(request("INVITE", uri, ["Content-Length: -999"], "v=0"))).toBe(400));

  it("3.1.2.4 scalars that overflow: CSeq 400; Max-Forwards and expires beyond 2^32 are accepted", () => {
    expect(verdict(request("REGISTER", uri, ["CSeq: 36893488147419103232 REGISTER"]))).toBe(400);
    expect(verdict(request("REGISTER", uri, ["Max-Forwards: 99999999999999"]))).toBe(400);
    expect(parseExpires("1000000000000000000000000000")).toBe(4_294_967_295);
  });

  it("3.1.2.5 a response with scalars that overflow is dropped", () => {
    const lines = [
      ...common,
      "CSeq: 9292394834772304023312 OPTIONS",
      "Retry-After: 949302838503028349304023988",
    ];
    expect(verdict(message(["SIP/2.0 503 Service Unavailable", ...lines]))).toBe("dropped");
  });

  it("3.1.2.6 an unclosed quote in a display name: 400", () => {
    expect(verdict(request("INVITE", uri, ['To: "Mr. J. User <sip:j.user@example.com>']))).toBe(400);
  });

  it("3.1.2.7 angle brackets around the Request-URI: 400", () =>
    expect(verdict(request("INVITE", `<${uri}>`))).toBe(400));

  it("3.1.2.8 white space within the Request-URI: 400", () => {
    expect(verdict(request("INVITE", "sip:user@example.com; lr"))).toBe(400);
  });

  it("3.1.2.9 several spaces between the elements of the request line: 400", () => {
    expect(verdict(request("INVITE", ` ${uri} `))).toBe(400);
  });

  it("3.1.2.10 white space after the version: 400", () => {
    expect(verdict(request("OPTIONS", uri).replace("SIP/2.0\r\n", "SIP/2.0  \r\n"))).toBe(400);
  });

  it("3.1.2.11 escaped headers in the Request-URI are ignored", () => {
    const text = request("INVITE", "sip:user@example.com?Route=%3Csip:evil.example.com%3E");
    expect(verdict(text)).toBe("accepted");
    expect(fieldValue(read(text), "route")).toBeUndefined();
  });

  it("3.1.2.12 a Date in another time zone is accepted, because a proxy does not read it", () => {
    expect(verdict(request("INVITE", uri, ["Date: Fri, 01 Jan 2010 16:00:00 EST"]))).toBe("accepted");
  });

  it("3.1.2.13 a Contact with headers and without angle brackets: 400 to the REGISTER", () => {
    const register = read(
      request("REGISTER", "sip:example.com", [
        "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E",
      ]),
    );
    expect(parseContacts(register)).toMatchObject({ status: 400 });
  });

  it("3.1.2.14 white space inside the angle brackets around a URI is skipped", () => {
    expect(read(request("OPTIONS", uri, ['To: "W, Th" < sip:t.w@example.org >'])).to.uri).toBe(
      "sip:t.w@example.org",
    );
  });

  it("3.1.2.15 a display name that needs quotes and has none is accepted", () => {
    expect(
      read(request("OPTIONS", uri, ["From: Bell, Alex <sip:a.g.bell@example.com>;tag=43"])).from.uri,
    ).toBe("sip:a.g.bell@example.com");
  });

  it("3.1.2.16 an unknown protocol version: 505", () => {
    expect(verdict(request("OPTIONS", uri).replace("SIP/2.0\r\n", "SIP/7.0\r\n"))).toBe(505);
    const text = request("OPTIONS", uri, ["Via: SIP/7.0/UDP c.example.com;branch=z9hG4bKx"]);
    expect(verdict(text.replace("SIP/2.0\r\n", "SIP/7.0\r\n"))).toBe(505);
  });

  it("3.1.2.17 different methods in the start line and CSeq: 400", () => {
    expect(verdict(request("OPTIONS", uri, ["CSeq: 8 INVITE"]))).toBe(400);
  });

  it("3.1.2.18 the same with an unknown method: 400", () => {
    expect(verdict(request("NEWMETHOD", uri, ["CSeq: 8 INVITE"]))).toBe(400);
  });

  it("3.1.2.19 a status of more than three digits: dropped", () => {
    const lines = [...common, "CSeq: 353494 INVITE", "Content-Length: 0"];
    expect(verdict(message(["SIP/2.0 4294967301 better not break the receiver", ...lines]))).toBe("dropped");
  });
});

describe("3.2 transaction layer semantics", () => {
  it("3.2.1 a branch that is only the magic cookie is accepted, and matched as in RFC 2543", () => {
    expect(read(request("OPTIONS", uri, ["Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"])).via.branch).toBe(
      "z9hG4bK",
    );
  });
});

describe("3.3 application layer semantics", () => {
  it("3.3.1 required fields missing: 400, dropped without a Via", () => {
    const bare = message([
      "INVITE sip:user@example.com SIP/2.0",
      "CSeq: 193942 INVITE",
      "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj",
    ]);
    expect(verdict(bare)).toBe(400);
    expect(verdict(message(["INVITE sip:user@example.com SIP/2.0", "CSeq: 193942 INVITE"]))).toBe("dropped");
  });

  it("3.3.2 and 3.3.3 an unknown and an unusual Request-URI scheme: 416", () => {
    expect(verdict(request("OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent"))).toBe(416);
    expect(verdict(request("OPTIONS", "soap.beep://192.0.2.103:3002"))).toBe(416);
  });

  it("3.3.4 unknown schemes in To, From and Contact are accepted", () => {
    const text = request("REGISTER", "sip:example.com", [
      "To: isbn:2983792873",
      "From: <http://www.example.com>;tag=3234233",
      "Contact: <name:John_Smith>",
    ]); // prettier-ignore
    expect(verdict(text)).toBe("accepted");
  });

  it("3.3.5 Proxy-Require: 420; Require is left to the next element", () => {
    expect(verdict(request("OPTIONS", uri, ["Require: nothingSupportsThis"]))).toBe("accepted");
    expect(
      verdict(request("OPTIONS", uri, ["Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis"])),
    ).toBe(420);
  });

  it("3.3.6 an unknown Content-Type is accepted", () => {
    expect(verdict(request("INVITE", uri, ["Content-Type: application/unknownformat"], "<audio/>"))).toBe(
      "accepted",
    );
  });

  it("3.3.7 an unknown authorization scheme is ignored", () => {
    expect(
      verdict(request("REGISTER", uri, ['Authorization: NoOneKnowsThisScheme opaque-data="here"'])),
    ).toBe("accepted");
  });

  it("3.3.8 several values where one is allowed: 400", () => {
    const twice = ["To: <sip:second@example.com>", "CSeq: 9 INVITE", "Call-ID: b", "From: <sip:x@y>;tag=2"];
    for (const line of twice)
      expect(verdict(request("INVITE", uri).replace("Max-Forwards", `${line}\r\nMax-Forwards`)), line).toBe(
        400,
      );
  });

  it("3.3.9 several Content-Length: 400", () => {
    expect(
      verdict(
        request("OPTIONS", uri).replace("Content-Length: 0", "Content-Length: 13\r\nContent-Length: 5"),
      ),
    ).toBe(400);
  });

  it("3.3.10 a 200 with a foreign top Via is parsed with that Via, so it is dropped", () => {
    const via = [
      "Via: SIP/2.0/UDP elsewhere.example.net;branch=z9hG4bK1",
      "Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bK2",
    ];
    const response = parseMessage(message(["SIP/2.0 200 OK", ...via, ...common.slice(1), "CSeq: 1 INVITE"]));
    expect(response).toMatchObject({ kind: "response", via: { host: "elsewhere.example.net" } });
  });

  it("3.3.11 Max-Forwards 0: 483", () =>
    expect(verdict(request("OPTIONS", uri, ["Max-Forwards: 0"]))).toBe(483));

  it("3.3.12 a REGISTER contact with its own parameters", () => {
    const register = read(
      request("REGISTER", "sip:example.com", ["Contact: sip:+19725552222@gw1.example.net;unknownparam"]),
    );
    const contacts = parseContacts(register);
    expect(isProblem(contacts) || contacts.kind === "star" ? contacts : contacts.contacts).toMatchObject([
      { uri: "sip:+19725552222@gw1.example.net" },
    ]);
  });

  it("3.3.13 a REGISTER contact with URL parameters in angle brackets", () => {
    const register = read(
      request("REGISTER", "sip:example.com", ["Contact: <sip:+19725552222@gw1.example.net;unknownparam>"]),
    );
    const contacts = parseContacts(register);
    expect(isProblem(contacts) || contacts.kind === "star" ? contacts : contacts.contacts).toMatchObject([
      { uri: "sip:+19725552222@gw1.example.net;unknownparam" },
    ]);
  });

  it("3.3.14 a REGISTER contact with a headers component keeps it", () => {
    const value = "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>";
    const contacts = parseContacts(read(request("REGISTER", "sip:example.com", [`Contact: ${value}`])));
    expect(isProblem(contacts) || contacts.kind === "star" ? contacts : contacts.contacts).toMatchObject([
      { uri: value.slice(1, -1) },
    ]);
  });

  it("3.3.15 an unacceptable Accept is ignored", () => {
    expect(verdict(request("INVITE", uri, ["Accept: text/nobodyKnowsThis"]))).toBe("accepted");
  });
});

describe("3.4 backward compatibility", () => {
  it("3.4.1 an RFC 2543 INVITE: no branch, no tag, no Max-Forwards", () => {
    const text = message([
      "INVITE sip:UserB@example.com SIP/2.0",
      "Via: SIP/2.0/UDP iftgw.example.com",
      "From: <sip:+13035551111@ift.example.com;user=phone>",
      "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>",
      "To: sip:+16505552222@ss1.example.net;user=phone",
      "Call-ID: 1717@ift.example.com",
      "CSeq: 56 INVITE",
    ]); // prettier-ignore
    expect(read(text)).toMatchObject({ via: { branch: undefined }, from: { tag: undefined } });
    expect(parameter(read(text).to.parameters, "user")).toBe("phone");
    expect(verdict(text)).toBe("accepted");
  });
});
