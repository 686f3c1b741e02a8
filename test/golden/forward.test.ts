/**
 * Requests in, requests out, byte for byte (RFC 3261 §16.4, §16.6; RFC 3581 §4). The files hold LF for CRLF, and TOKEN for the flow token,
 * which is sealed for the request's own Call-ID and tag.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createSeal } from "../../sip-node/src/auth/create-seal.ts";
import { type Addresses, addressesOf } from "../../sip-node/src/proxy/addresses.ts";
import { sealToken } from "../../sip-node/src/proxy/flow-token.ts";
import { requestCopy, mayCreateDialog } from "../../sip-node/src/proxy/request-copy.ts";
import { preprocess } from "../../sip-node/src/proxy/preprocess.ts";
import { validate } from "../../sip-node/src/proxy/validate.ts";
import { type Flow, flowOf } from "../../sip-node/src/wire/flow.ts";
import { parseMessage } from "../../sip-node/src/wire/parse-message.ts";

interface Case {
  readonly does: string;
  readonly target?: string;
  readonly addresses?: Addresses;
  readonly source?: Flow;
}

const cases: Readonly<Record<string, Case>> = {
  invite: {
    does: "a dialog's first request gets Request-URI, Via, Record-Route, received and one hop less; all else stays as it was",
    target: "sip:bob@192.0.2.2:5062;line=3",
  },
  bye: {
    does: "our Route goes though it stood first, Max-Forwards comes, compact forms and the other Via value stay",
  },
  "strict-router": {
    does: "§16.4: the last Route becomes the Request-URI, and what the sender wrote as received is replaced",
  },
  ipv6: {
    does: "RFC 5118: brackets in sent-by, none in received, and the body in UTF-8 as it was",
    target: "sip:bob@[2001:db8::2]:5062",
    addresses: addressesOf({ host: "2001:db8::1", port: 5060 }),
    source: flowOf("2001:db8::99", 4711),
  },
};

const folder = new URL("forward/", import.meta.url);
const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const seal = createSeal(ring, "flow token", () => 1);
const party = {
  flow: flowOf("192.0.2.2", 5062),
  isBehindNat: false,
  ownerNode: "",
  contactId: "0",
  contactKey: "0",
};
const token = sealToken({ caller: party, callee: party }, "1@10.0.0.7", "a1", seal);

function read(name: string): string {
  const text = readFileSync(new URL(name, folder)).toString("latin1");
  return text.replaceAll("\n", "\r\n").replaceAll("TOKEN", token);
}

it.each(Object.entries(cases).map(([name, { does }]) => [name, does]))("%s: %s", (name = "") => {
  const { target, source = flowOf("198.51.100.7", 4711), ...more } = cases[name] as Case;
  const addresses = more.addresses ?? addressesOf({ host: "203.0.113.1", port: 5060 });
  const request = parseMessage(read(`${name}.in.sip`));
  if (request.kind !== "request") throw new Error(JSON.stringify(request));
  const valid = validate(request, addresses);
  const path = preprocess(request, addresses, seal);
  if (valid.kind === "reject" || path.kind !== "path") throw new Error(JSON.stringify([valid, path]));
  const recordRoute = mayCreateDialog(request) ? token : undefined;
  const { maxForwards } = valid;
  const out = requestCopy(
    {
      request,
      source,
      edits: path.edits,
      maxForwards,
      target: { uri: target, flow: source },
      viaBranch: "z9hG4bKours",
      recordRoute,
    },
    addresses,
  );
  expect(out).toBe(read(`${name}.out.sip`));
});

it("every pair of files has its case", () => {
  const names = readdirSync(folder).map((file) => file.replace(/\.(in|out)\.sip$/, ""));
  expect([...new Set(names)].sort()).toEqual(Object.keys(cases).sort());
});
