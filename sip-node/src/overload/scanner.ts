/**
 * Programs that search the Internet for exchanges without passwords. They name themselves in User-Agent (RFC 3261 §20.41), and no phone has
 * such a name. A request of such a program is dropped only when its flow is not authenticated: an answer would tell it that SIP is spoken here.
 * Pure.
 */
import { fieldValue } from "../wire/fields.ts";
import type { IndexedText } from "../wire/message.ts";

const names =
  /^(?:friendly-scanner|friendly-request|sipvicious|sipcli|sip-scan|sipscan|sundayddr|pplsip|iwar|smap|svmap|svwar|svcrack)\b/i;

export function isScanner(request: IndexedText): boolean {
  const userAgent = fieldValue(request, "user-agent");
  return userAgent !== undefined && names.test(userAgent);
}
