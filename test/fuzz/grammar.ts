/**
 * Valid messages by the grammar of RFC 3261 §25.1, with all the freedom that it leaves: compact and strange spellings of names, folds, white
 * space, quoted strings with escapes, IPv6 references, parameters in any order. Each comes with the values that a parser must find.
 */
import type { SeededRandom } from "../support/seeded-random.ts";

export interface Expected {
  readonly text: string;
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  readonly callId: string;
  readonly sequence: number;
  readonly from: { readonly uri: string; readonly tag: string };
  readonly to: { readonly uri: string; readonly tag: string | undefined };
  readonly vias: readonly {
    readonly host: string;
    readonly port: number | undefined;
    readonly branch: string;
  }[];
  readonly body: string;
}

const tokenCharacters = [..."abcXYZ019-.!%*_+`'~"];
const pick = (random: SeededRandom, characters: readonly string[], least: number, most: number): string =>
  Array.from({ length: least + random.below(most - least + 1) }, () => random.pick(characters)).join("");

const token = (random: SeededRandom): string => pick(random, tokenCharacters, 1, 12);
/** SWS: optional white space, which may be a fold. */
const sws = (random: SeededRandom): string => random.pick(["", "", "", " ", "\t", "  ", "\r\n ", " \r\n\t "]);
const equal = (random: SeededRandom): string => `${sws(random)}=${sws(random)}`;
const semicolon = (random: SeededRandom): string => `${sws(random)};${sws(random)}`;

/** quoted-pair may hide every delimiter. */
const quoted = (random: SeededRandom): string =>
  `"${Array.from({ length: random.below(8) }, () => random.pick(["a", " ", ",", ";", "<", ">", "=", "@", '\\"', "\\\\", "\\,", "\u00fc", "sip:x"])).join("")}"`;

const names: Readonly<Record<string, readonly string[]>> = {
  Via: ["Via", "VIA", "via", "v", "V"],
  From: ["From", "FROM", "f", "F"],
  To: ["To", "tO", "t", "T"],
  "Call-ID": ["Call-ID", "call-id", "CALL-ID", "i", "I"],
  CSeq: ["CSeq", "cseq", "CSEQ"],
  "Content-Length": ["Content-Length", "content-length", "l", "L"],
};

const header = (random: SeededRandom, name: string, value: string): string =>
  `${random.pick(names[name] ?? [name])}${random.pick(["", "", " ", "\t "])}:${sws(random)}${value}${random.pick(["", "", " ", "\t"])}\r\n`;

const host = (random: SeededRandom): string =>
  random.pick([
    "example.com",
    "a-b.c1.example",
    "192.0.2.1",
    "[2001:db8::1]",
    "[::ffff:192.0.2.1]",
    "h",
    "1.2.3.4.example",
  ]);

const user = (random: SeededRandom): string =>
  pick(random, [..."abz09-_.!~*'()&=+$,;?/", "%41", "%c3%bc"], 1, 10);

const parameterValue = (random: SeededRandom): string =>
  pick(random, [..."az09[]/:&+$-_.!~*'()", "%2f"], 1, 6);

function uri(random: SeededRandom): string {
  const scheme = random.pick(["sip", "sip", "SIP", "Sip"]);
  const port = random.pick(["", "", ":5060", ":1", ":65535"]);
  const parameters = random.pick([
    "",
    "",
    ";lr",
    ";transport=udp",
    `;x=${parameterValue(random)}`,
    `;a;b=${parameterValue(random)}`,
  ]);
  const userinfo = random.below(5) === 0 ? "" : `${user(random)}${random.below(6) === 0 ? ":secret" : ""}@`;
  return `${scheme}:${userinfo}${host(random)}${port}${parameters}`;
}

const genericParameter = (random: SeededRandom): string =>
  random.pick([
    `p${token(random).replaceAll("%", "")}`,
    `x-q${equal(random)}${quoted(random)}`,
    `y${equal(random)}${token(random)}`,
  ]);

function address(random: SeededRandom, of: string, tag: string | undefined): string {
  const name = random.pick(["", quoted(random), quoted(random), "Bob", "Bob  de\tla", ""]);
  const parameters = [
    genericParameter(random),
    ...(tag === undefined ? [] : [`${random.pick(["tag", "TAG", "Tag"])}${equal(random)}${tag}`]),
  ];
  if (random.below(2) === 0) parameters.reverse();
  if (random.below(3) === 0)
    parameters.splice(
      parameters.findIndex((one) => !/^tag/i.test(one)),
      1,
    );
  return `${name}${name === "" ? "" : sws(random)}<${of}>${parameters.map((one) => `${semicolon(random)}${one}`).join("")}`;
}

function via(random: SeededRandom): [text: string, Expected["vias"][number]] {
  const branch = `z9hG4bK${token(random)}`;
  const [at, port] = [host(random), random.pick([undefined, 5_060, 1, 65_535])];
  const slash = () => `${sws(random)}/${sws(random)}`;
  const parameters = [
    `${random.pick(["branch", "BRANCH"])}${equal(random)}${branch}`,
    random.pick(["rport", "ttl=16", `x=${token(random)}`]),
  ];
  if (random.below(2) === 0) parameters.reverse();
  const sentBy = port === undefined ? at : `${at}${random.pick([":", " : ", ": "])}${port}`;
  const space = random.pick([" ", "  ", "\t", " \r\n "]);
  const text = `SIP${slash()}2.0${slash()}UDP${space}${sentBy}${parameters.map((one) => `${semicolon(random)}${one}`).join("")}`;
  return [text, { host: at, port, branch }];
}

const others = (random: SeededRandom): string =>
  header(
    random,
    `X-${pick(random, ["a", "B", "9", "."], 1, 6)}`,
    random.pick(["", ":", quoted(random), "a: b", "v:\r\n x", "\u00e4\u00f6"]),
  );

export function grammarMessage(random: SeededRandom): Expected {
  const method = random.pick(["INVITE", "REGISTER", "OPTIONS", "BYE", token(random)]);
  const status = random.below(4) === 0 ? 100 + random.below(600) : 0;
  const vias = Array.from({ length: 1 + random.below(3) }, () => via(random));
  const [requestUri, fromUri, toUri] = [uri(random), uri(random), uri(random)];
  const [fromTag, toTag] = [token(random), random.below(2) === 0 ? undefined : token(random)];
  const callId = `${token(random)}${random.pick(["", `@${token(random)}`])}`;
  const sequence = random.below(random.pick([10, 10_000, 2 ** 31]));
  const body = random.pick(["", "", "v=0\r\n", "\r\n\r\nVia: x"]);
  const isJoined = random.below(2) === 0;
  const fields = [
    header(random, "From", address(random, fromUri, fromTag)),
    header(random, "To", address(random, toUri, toTag)),
    header(random, "Call-ID", callId),
    header(
      random,
      "CSeq",
      `${sequence < 10_000 ? "000" : ""}${sequence}${random.pick([" ", "\t", "  ", "\r\n "])}${method}`,
    ),
    header(random, "Content-Length", String(body.length)),
    others(random),
    others(random),
  ];
  const viaFields = isJoined
    ? header(random, "Via", vias.map(([text]) => text).join(`${sws(random)},${sws(random)}`))
    : vias.map(([text]) => header(random, "Via", text)).join("");
  fields.splice(random.below(fields.length), 0, viaFields);
  const start =
    status > 0
      ? `SIP/2.0 ${status} ${random.pick(["", "OK", "\u00fcber"])}`
      : `${method} ${requestUri} SIP/2.0`;
  const text = `${random.pick(["", "", "\r\n", "\r\n\r\n"])}${start}\r\n${fields.join("")}\r\n${body}`;
  return {
    ...{
      text,
      method,
      status,
      callId,
      sequence,
      body,
      uri: requestUri,
      vias: vias.map(([, expected]) => expected),
    },
    ...{ from: { uri: fromUri, tag: fromTag }, to: { uri: toUri, tag: toTag } },
  };
}
