/**
 * The Record-Route of a response (RFC 3261 §16.7 step 8). The flow token was made before the callee's Contact was known: a phone may use another
 * one than it registered, as gateways and conference servers do. In the response, the token gets the key of the Contact that the callee sent, so
 * that no look-up is needed for the caller's later requests (ADR 51). Pure.
 */
import { contactKey } from "../location/contact-key.ts";
import type { Edit } from "../wire/edits.ts";
import { findField } from "../wire/fields.ts";
import type { Response } from "../wire/message.ts";
import { parseNameAddr } from "../wire/name-addr.ts";
import { isProblem } from "../wire/problem.ts";
import type { Seal } from "../wire/seal.ts";
import { type FlowToken, sealToken } from "./flow-token.ts";

/** The token in the Record-Route of a copy, and what it says. */
export interface SentToken extends FlowToken {
  readonly text: string;
  /** The token for the last Contact of the callee that was another one: a 180 and the 200 after it have the same. */
  refreshed: RefreshedToken | undefined;
}

interface RefreshedToken {
  readonly contactKey: string;
  readonly text: string;
}

/** What the seal of a token covers, of the request. The callee writes the response: its values could get it a token of another dialog. */
export interface TokenDialog {
  readonly callId: string;
  readonly fromTag: string | undefined;
}

/** None: the response stays as it is. Two Record-Routes of ours have the same token (`request-copy.ts`). */
export function calleeContactEdits(
  response: Response,
  sent: SentToken,
  dialog: TokenDialog,
  seal: Seal,
): Edit[] {
  if (response.status === 100 || response.status >= 300) return [];
  const contact = findField(response.fields, "contact");
  if (contact === undefined) return [];
  const address = parseNameAddr(response.text, contact.valueStart, contact.valueEnd, "Contact");
  const key = isProblem(address) ? "0" : contactKey(address.uri);
  if (key === "0" || key === sent.callee.contactKey) return [];
  const starts = startsOfToken(response, sent.text);
  if (starts.length === 0) return [];
  if (sent.refreshed?.contactKey !== key)
    sent.refreshed = { contactKey: key, text: refresh(sent, key, dialog, seal) };
  const { text } = sent.refreshed;
  return starts.map((start) => ({ start, end: start + sent.text.length, text }));
}

function refresh(
  { caller, callee }: SentToken,
  key: string,
  { callId, fromTag }: TokenDialog,
  seal: Seal,
): string {
  return sealToken({ caller, callee: { ...callee, contactKey: key } }, callId, fromTag ?? "", seal);
}

function startsOfToken({ text, fields }: Response, token: string): number[] {
  const starts: number[] = [];
  for (const { name, valueStart, valueEnd } of fields) {
    if (name !== "record-route") continue;
    for (let start = text.indexOf(token, valueStart); start >= 0 && start < valueEnd; ) {
      starts.push(start);
      start = text.indexOf(token, start + token.length);
    }
  }
  return starts;
}
