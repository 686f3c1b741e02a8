/**
 * Valid messages have the same content for this parser and for the npm package `sip`. Only parts that the package parses correctly are
 * compared: it merges unknown headers, and does not support IPv6 URIs and malformed Vias.
 */
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { parseContacts } from "../../sip-node/src/wire/contact.ts";
import { parseList } from "../../sip-node/src/wire/list-values.ts";
import { type NameAddr, parseNameAddr } from "../../sip-node/src/wire/name-addr.ts";
import { parseMessage } from "../../sip-node/src/wire/parse-message.ts";
import { isProblem } from "../../sip-node/src/wire/problem.ts";
import { parseUri } from "../../sip-node/src/wire/uri.ts";
import { parseVia } from "../../sip-node/src/wire/via.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { plainMessage, writeMessage } from "./mutate.ts";

interface TheirAddress {
  readonly uri: string | TheirUri;
  readonly params: Readonly<Record<string, string | null>>;
}
interface TheirUri {
  readonly user?: string;
  readonly host: string;
  readonly port: number;
}
interface TheirMessage {
  readonly method?: string;
  readonly uri?: string;
  readonly status?: number;
  readonly content: string;
  readonly headers: {
    readonly via: readonly {
      readonly host: string;
      readonly port?: number;
      readonly params: { readonly branch: string };
    }[];
    readonly from: TheirAddress;
    readonly to: TheirAddress;
    readonly "call-id": string;
    readonly cseq: { readonly seq: number; readonly method: string };
    readonly contact?: readonly TheirAddress[];
    readonly route?: readonly TheirAddress[];
  };
}
const sip = createRequire(new URL("../../cli/package.json", import.meta.url))("sip") as {
  parse(text: string): TheirMessage;
  parseUri(text: string): TheirUri;
};

const list = <T>(values: readonly T[] | { kind: string }): readonly T[] => {
  if (isProblem(values) || !Array.isArray(values)) throw new Error(JSON.stringify(values));
  return values as readonly T[];
};
const uriOf = (text: string) => {
  const uri = parseUri(text);
  return isProblem(uri) ? uri : { user: uri.user, host: uri.host, port: uri.port ?? Number.NaN };
};

it("1000 messages have the same content for both parsers", () => {
  const random = seededRandom("differential");
  for (let round = 0; round < 1000; round++) {
    const text = writeMessage(plainMessage(random));
    const [ours, theirs] = [parseMessage(text), sip.parse(text)];
    if (ours.kind === "malformed") throw new Error(`${random.seed} ${text} ${ours.problem.reason}`);
    const at = `${random.seed} ${text}`;
    if (ours.kind === "request") {
      expect([ours.method, ours.uri], at).toEqual([theirs.method, theirs.uri]);
      expect(uriOf(ours.uri), at).toEqual(pick(sip.parseUri(ours.uri)));
      const contacts = parseContacts(ours);
      if (isProblem(contacts) || contacts.kind === "star") throw new Error(at);
      expect(
        contacts.contacts.map(({ uri }) => uri),
        at,
      ).toEqual((theirs.headers.contact ?? []).map(({ uri }) => uri));
    } else expect(ours.status, at).toBe(theirs.status);
    expect([ours.callId, ours.cseq.number, ours.cseq.method], at).toEqual([
      theirs.headers["call-id"],
      theirs.headers.cseq.seq,
      theirs.headers.cseq.method,
    ]); // prettier-ignore
    for (const name of ["from", "to"] as const)
      expect([ours[name].uri, ours[name].tag], at).toEqual([
        theirs.headers[name].uri,
        theirs.headers[name].params["tag"] ?? undefined,
      ]);
    const vias = list(parseList(ours, "via", parseVia)).map(({ host, port, branch }) => [host, port, branch]);
    expect(vias, at).toEqual(theirs.headers.via.map(({ host, port, params }) => [host, port, params.branch]));
    const routes = list<NameAddr>(
      parseList(ours, "route", (from, start, end) => parseNameAddr(from, start, end, "Route")),
    );
    expect(
      routes.map(({ uri }) => uriOf(uri)),
      at,
    ).toEqual((theirs.headers.route ?? []).map(({ uri }) => pick(uri as TheirUri)));
  }
});

const pick = ({ user, host, port }: TheirUri) => ({ user, host, port });
