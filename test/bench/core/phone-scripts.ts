/** What phones send in a call and in a registration, step by step. The messages have the headers and the length of those of common desk phones. */
import { createHash } from "node:crypto";

export const domainName = "bench.example";

/** A phone of one user. Its contact is its source address. */
export interface ScriptedPhone {
  readonly user: string;
  readonly address: string;
  readonly port: number;
  /** The last request and the last response that it received. */
  request: string;
  response: string;
}

export interface Exchange {
  /** Unique: it is part of each Call-ID, tag and branch. */
  readonly number: number;
  readonly caller: ScriptedPhone;
  readonly callee: ScriptedPhone;
}

/** One datagram: who sends what. Undefined: nothing is sent in this step. */
export type Step = (exchange: Exchange) => { readonly from: ScriptedPhone; readonly text: string };

export type Work = "trusted" | "authenticated" | "register";

export const stepsOf = (work: Work): readonly Step[] =>
  ({ trusted: [invite, ...call], authenticated: [invite, ackToChallenge, inviteAgain, ...call], register })[
    work
  ];

const sdp = (phone: ScriptedPhone): string =>
  `v=0\r\no=- 8000 8000 IN IP4 ${phone.address}\r\ns=-\r\nc=IN IP4 ${phone.address}\r\nt=0 0\r\n` +
  "m=audio 11786 RTP/AVP 9 0 8 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n" +
  "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

const allow =
  "Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE\r\n";
const agent = "User-Agent: Example SIP-T46U 108.86.0.20\r\n";

const contact = ({ user, address, port }: ScriptedPhone): string => `<sip:${user}@${address}:${port}>`;
/** Every second callee answers with another Contact than it registered, as gateways do. */
const contactOfCallee = (callee: ScriptedPhone, number: number): string =>
  number % 2 === 0 ? contact(callee) : `<sip:${callee.address}:${callee.port};transport=udp>`;
const uriOf = ({ user }: ScriptedPhone): string => `sip:${user}@${domainName}`;
const withBody = (text: string, body: string): string =>
  `${text}${body === "" ? "" : "Content-Type: application/sdp\r\n"}Content-Length: ${body.length}\r\n\r\n${body}`;
const tagged = (value: string, tag: string): string =>
  value.includes(";tag=") ? value : `${value};tag=${tag}`;
const lines = (message: string, name: string): string =>
  (message.match(new RegExp(`^${name}: .*\r\n`, "gm")) ?? []).join("");
const value = (message: string, name: string): string => lines(message, name).slice(name.length + 2, -2);

function request(
  method: string,
  uri: string,
  exchange: Exchange,
  sequence: number,
  rest: string,
  to?: string,
) {
  const { caller, callee, number } = exchange;
  const branch = `z9hG4bK${createHash("md5").update(`${number} ${method} ${sequence}`).digest("hex").slice(0, 10)}`;
  return (
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${caller.address}:${caller.port};branch=${branch};rport\r\n` +
    `From: "${caller.user}" <${uriOf(caller)}>;tag=${number}f\r\nTo: ${to ?? `<${uriOf(callee)}>`}\r\n` +
    `Call-ID: 0_${number * 7919}@${caller.address}\r\nCSeq: ${sequence} ${method}\r\n${rest}`
  );
}

const inviteWith = (exchange: Exchange, sequence: number, credentials: string) =>
  withBody(
    request(
      "INVITE",
      uriOf(exchange.callee),
      exchange,
      sequence,
      `Contact: ${contact(exchange.caller)}\r\n${credentials}Max-Forwards: 70\r\n${agent}${allow}Supported: replaces\r\nAllow-Events: talk,hold,conference,refer,check-sync\r\n`,
    ),
    sdp(exchange.caller),
  );

const invite: Step = (exchange) => ({ from: exchange.caller, text: inviteWith(exchange, 1, "") });

const ackToChallenge: Step = (exchange) => ({
  from: exchange.caller,
  text: withBody(
    // §17.1.1.3: with the branch of the INVITE
    request(
      "INVITE",
      uriOf(exchange.callee),
      exchange,
      1,
      "Max-Forwards: 70\r\n",
      value(exchange.caller.response, "To"),
    )
      .replace("INVITE", "ACK")
      .replace("1 INVITE", "1 ACK"),
    "",
  ),
});

const inviteAgain: Step = (exchange) => ({
  from: exchange.caller,
  text: inviteWith(
    exchange,
    2,
    credentials("Proxy-Authorization", "INVITE", uriOf(exchange.callee), exchange),
  ),
});

function credentials(header: string, method: string, uri: string, { caller }: Exchange): string {
  const nonce = /nonce="([^"]*)"/.exec(caller.response)?.[1] ?? "";
  const md5 = (text: string) => createHash("md5").update(text).digest("hex");
  const ha1 = md5(`${caller.user}:${domainName}:${caller.user}`);
  const digest = md5(`${ha1}:${nonce}:00000001:0a4f113b:auth:${md5(`${method}:${uri}`)}`);
  return (
    `${header}: Digest username="${caller.user}", realm="${domainName}", nonce="${nonce}", uri="${uri}", response="${digest}", ` +
    `algorithm=MD5, qop=auth, nc=00000001, cnonce="0a4f113b"\r\n`
  );
}

const answer =
  (status: string, hasBody: boolean): Step =>
  ({ callee, number }) => {
    const { request: asked } = callee;
    const copied = ["Via", "Record-Route", "From"].map((name) => lines(asked, name)).join("");
    const to = `To: ${tagged(value(asked, "To"), `${number}t`)}\r\n`;
    const rest = `${lines(asked, "Call-ID")}${lines(asked, "CSeq")}Contact: ${contactOfCallee(callee, number)}\r\n${agent}${allow}`;
    return {
      from: callee,
      text: withBody(`SIP/2.0 ${status}\r\n${copied}${to}${rest}`, hasBody ? sdp(callee) : ""),
    };
  };

const inDialog =
  (method: string, increment: number): Step =>
  (exchange) => {
    const { response } = exchange.caller;
    const sequence = Number.parseInt(value(response, "CSeq"), 10) + increment;
    const uri = /<(.*)>/.exec(value(response, "Contact"))?.[1] ?? "";
    const route = lines(response, "Record-Route").replace("Record-Route", "Route");
    const rest = `${route}Contact: ${contact(exchange.caller)}\r\nMax-Forwards: 70\r\n${agent}`;
    return {
      from: exchange.caller,
      text: withBody(request(method, uri, exchange, sequence, rest, value(response, "To")), ""),
    };
  };

const call: readonly Step[] = [
  answer("180 Ringing", false),
  answer("200 OK", true),
  inDialog("ACK", 0),
  inDialog("BYE", 1),
  answer("200 OK", false),
];

const registerWith = (exchange: Exchange, sequence: number, authorization: string): string =>
  withBody(
    request(
      "REGISTER",
      `sip:${domainName}`,
      exchange,
      sequence,
      `Contact: ${contact(exchange.caller)}\r\n${authorization}${allow}Max-Forwards: 70\r\n${agent}Expires: 3600\r\nAllow-Events: talk,hold\r\n`,
      `<${uriOf(exchange.caller)}>`,
    ),
    "",
  );

const register: readonly Step[] = [
  (exchange) => ({ from: exchange.caller, text: registerWith(exchange, 1, "") }),
  (exchange) => ({
    from: exchange.caller,
    text: registerWith(exchange, 2, credentials("Authorization", "REGISTER", `sip:${domainName}`, exchange)),
  }),
];
