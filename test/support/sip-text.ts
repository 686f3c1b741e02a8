/** SIP messages of test phones as text. The parser is lenient and independent of the node's parser. */
import { randomBytes } from "node:crypto";

export type HeaderLine = readonly [name: string, value: string];

export interface SipText {
  readonly startLine: string;
  /** Names in lower case, long form, in the order of the message. */
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

const longForms: Readonly<Record<string, string>> = {
  v: "via",
  f: "from",
  t: "to",
  i: "call-id",
  m: "contact",
  l: "content-length",
};

export function parseSip(text: string): SipText {
  const end = text.indexOf("\r\n\r\n");
  const [startLine = "", ...lines] = text.slice(0, end < 0 ? undefined : end).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    return [longForms[name] ?? name, line.slice(colon + 1).trim()] as const;
  });
  return { startLine, headers, body: end < 0 ? "" : text.slice(end + 4) };
}

export function writeSip(startLine: string, headers: readonly HeaderLine[], body = ""): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${startLine}\r\n${lines}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** The first value of a header, or "". */
export function header(message: SipText, name: string): string {
  return message.headers.find(([other]) => other === name)?.[1] ?? "";
}

/** All values of a header. A line is split at commas outside <> and quotes. */
export function headerList(message: SipText, name: string): string[] {
  return message.headers
    .filter(([other]) => other === name)
    .flatMap(([, value]) => value.match(/(?:"[^"]*"|<[^>]*>|[^,])+/g) ?? [])
    .map((value) => value.trim());
}

/** 0 for a request. */
export function status(message: SipText): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(message.startLine)?.[1] ?? 0);
}

/** The request's method, or the one in a response's CSeq. */
export function method(message: SipText): string {
  return header(message, "cseq").split(/\s+/)[1] ?? "";
}

export function branch(message: SipText): string {
  return /;\s*branch=([^;,\s]+)/i.exec(header(message, "via"))?.[1] ?? "";
}

export function tag(value: string): string {
  return /;\s*tag=([^;,\s]+)/i.exec(value)?.[1] ?? "";
}

/** The URI of a name-addr or addr-spec. */
export function uriOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(";")[0]?.trim() ?? "";
}

/** Random, for tags, branches and Call-IDs. */
export function token(): string {
  return randomBytes(8).toString("hex");
}
