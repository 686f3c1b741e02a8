/** The copy of a request for one branch (RFC 3261 §16.6): all that no step changes is copied unchanged. */
import { stampVia } from "../wire/build-response.ts";
import { contentLengthEdit } from "../wire/content-length.ts";
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
import { type Flow, isReliable, transportParameter, viaTransport } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { Addresses } from "./addresses.ts";
import type { Target } from "./targets.ts";

export interface RequestCopyInput {
  readonly request: Request;
  /** The flow that the request came from. */
  readonly source: Flow;
  /** Edits of preprocessing and authentication. */
  readonly edits: readonly Edit[];
  readonly maxForwards: number | undefined;
  readonly target: Pick<Target, "uri" | "flow">;
  /** The branch parameter of our Via. */
  readonly viaBranch: string;
  /** The flow token where the request can create a dialog. */
  readonly recordRoute: string | undefined;
}

export function requestCopy(input: RequestCopyInput, addresses: Addresses): string {
  const { request, source, target } = input;
  const { host, port } = addresses.advertised;
  // 1. Copy
  const edits: Edit[] = [...input.edits];
  // 2. Request-URI
  if (target.uri !== undefined) edits.push(replaceRequestUri(request, target.uri));
  // 3. Max-Forwards
  const field = findField(request.fields, "max-forwards");
  if (field === undefined) edits.push(insertAtEnd(request, "Max-Forwards: 70\r\n"));
  else edits.push(replaceValue(field, String((input.maxForwards ?? 71) - 1)));
  // 8. Via, and the source of the request in the Via below it (§18.2.1); 4. Record-Route
  const transport = viaTransport[target.flow.transport];
  const via = `Via: SIP/2.0/${transport} ${host}:${port};branch=${input.viaBranch};rport\r\n`;
  const route =
    input.recordRoute === undefined
      ? ""
      : recordRoutes(`${input.recordRoute}@${host}:${port}`, source, target.flow);
  edits.push(insertOnTop(request, via + route));
  edits.push(replaceTopVia(request, stampVia(request, source)));
  const length = isReliable[target.flow.transport] ? contentLengthEdit(request) : undefined;
  if (length !== undefined) edits.push(length);
  return applyEdits(request.text, edits);
}

/** Where the sides differ in transport, each gets a value of its own: the callee reads the first one, the caller the last one (RFC 5658 §4). */
function recordRoutes(place: string, caller: Flow, callee: Flow): string {
  const value = ({ transport }: Flow): string =>
    `Record-Route: <sip:${place}${transportParameter[transport]};lr>\r\n`;
  return caller.transport === callee.transport ? value(callee) : value(callee) + value(caller);
}

/** Methods that create no dialog need no Record-Route (§16.6 step 4); an unknown method may create one. */
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

export const mayCreateDialog = (request: Request): boolean =>
  request.to.tag === undefined && !dialogless.has(request.method);
