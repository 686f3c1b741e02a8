/** The result of a datagram before any look-up: parsing, then RFC 3261 §16.3 and §16.4. */
import { createSeal } from "../../sip-node/src/auth/create-seal.ts";
import { addressesOf } from "../../sip-node/src/proxy/addresses.ts";
import { preprocess } from "../../sip-node/src/proxy/preprocess.ts";
import { validate } from "../../sip-node/src/proxy/validate.ts";
import { buildResponse } from "../../sip-node/src/wire/build-response.ts";
import { flowOf } from "../../sip-node/src/wire/flow.ts";
import { type Malformed, parseMessage } from "../../sip-node/src/wire/parse-message.ts";

const addresses = addressesOf({ host: "203.0.113.1", port: 5060 }, [{ host: "2001:db8::1", port: 5060 }]);
const source = flowOf("192.0.2.99", 5060);
const ring = [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const seal = createSeal(ring, "flow token", () => 1);

/** Returns "accepted", "dropped", or the status of the response, which is built and parsed. */
export function verdict(datagram: string): string | number {
  const message = parseMessage(datagram);
  if (message.kind === "malformed") return refuse(message);
  if (message.kind === "response") return "accepted";
  const valid = validate(message, addresses);
  if (valid.kind === "reject") return valid.status;
  const path = preprocess(message, addresses, seal);
  if (path.kind === "needs-domain") return 403; // no domain is served here
  return path.kind === "reject" ? path.status : "accepted";
}

function refuse({ method, via, text, fields, problem }: Malformed): string | number {
  if (method === undefined || method === "ACK" || via === undefined) return "dropped";
  const response = buildResponse({ text, fields, via }, source, problem.status, problem.reason, "us");
  if (!response.startsWith(`SIP/2.0 ${problem.status} `) || !response.endsWith("\r\n\r\n"))
    throw new Error(response);
  return problem.status;
}

/** A message of these lines, the empty line and the body. */
export const message = (lines: readonly string[], body = ""): string =>
  `${lines.join("\r\n")}\r\n\r\n${body}`;
