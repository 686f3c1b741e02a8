/** A branch's copy of a request (RFC 3261 §16.6): what no step touches is copied as it came. */
import { stampVia } from "../wire/build-response.ts";
import {
  applyEdits,
  type Edit,
  insertAtEnd,
  insertOnTop,
  replaceRequestUri,
  replaceTopVia,
  replaceValue,
} from "../wire/edits.ts";
import { findField } from "../wire/fields.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { Addresses } from "./addresses.ts";

export interface ForwardInput {
  readonly request: Request;
  /** Where the request came from. */
  readonly source: Flow;
  /** Edits of preprocessing and authentication. */
  readonly edits: readonly Edit[];
  readonly maxForwards: number | undefined;
  /** The target's URI; undefined leaves the Request-URI as it is, in a dialog. */
  readonly target: string | undefined;
  readonly branch: string;
  /** The flow token where the request may found a dialog. */
  readonly recordRoute: string | undefined;
}

export function forward(input: ForwardInput, addresses: Addresses): string {
  const { request, source } = input;
  const { host, port } = addresses.advertised;
  // 1. Copy
  const edits: Edit[] = [...input.edits];
  // 2. Request-URI
  if (input.target !== undefined) edits.push(replaceRequestUri(request, input.target));
  // 3. Max-Forwards
  const field = findField(request.fields, "max-forwards");
  if (field === undefined) edits.push(insertAtEnd(request, "Max-Forwards: 70\r\n"));
  else edits.push(replaceValue(field, String((input.maxForwards ?? 71) - 1)));
  // 8. Via, and what the transport says of the one below it (§18.2.1); 4. Record-Route
  const via = `Via: SIP/2.0/UDP ${host}:${port};branch=${input.branch};rport\r\n`;
  const route =
    input.recordRoute === undefined ? "" : `Record-Route: <sip:${input.recordRoute}@${host}:${port};lr>\r\n`;
  edits.push(insertOnTop(request, via + route));
  edits.push(replaceTopVia(request, stampVia(request, source)));
  return applyEdits(request.text, edits);
}

/** Methods that found no dialog need no Record-Route (§16.6 step 4); an unknown method might. */
const dialogless: ReadonlySet<string> = new Set([
  "MESSAGE",
  "OPTIONS",
  "PUBLISH",
  "INFO",
  "BYE",
  "ACK",
  "CANCEL",
  "PRACK",
  "UPDATE",
]);

export const mayFoundDialog = (request: Request): boolean =>
  request.to.tag === undefined && !dialogless.has(request.method);
