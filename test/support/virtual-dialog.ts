/** A virtual phone's side of a dialog (RFC 3261 §12). */
import { header, headerList, type HeaderLine, type SipText, tag, uriOf } from "./sip-text.ts";

export interface VirtualDialog {
  readonly callId: string;
  /** From and To of this side's requests, with tags. */
  readonly local: string;
  readonly remote: string;
  /** The remote target of this side's requests. A re-INVITE of the other side changes it. */
  target: string;
  readonly routes: readonly string[];
  /** CSeq number of this side's last request. */
  sequence: number;
}

// §12.1.2
export const callerDialog = (response: SipText): VirtualDialog => ({
  callId: header(response, "call-id"),
  local: header(response, "from"),
  remote: header(response, "to"),
  target: contactOf(response),
  routes: headerList(response, "record-route").reverse(),
  sequence: Number.parseInt(header(response, "cseq"), 10),
});

// §12.1.1
export const calleeDialog = (invite: SipText, toTag: string): VirtualDialog => ({
  callId: header(invite, "call-id"),
  local: `${header(invite, "to")};tag=${toTag}`,
  remote: header(invite, "from"),
  target: contactOf(invite),
  routes: headerList(invite, "record-route"),
  sequence: 1_000,
});

/** Whether a request of the other side belongs to this dialog. */
export const isWithin = (dialog: VirtualDialog, request: SipText): boolean =>
  header(request, "call-id") === dialog.callId &&
  tag(header(request, "to")) === tag(dialog.local) &&
  tag(header(request, "from")) === tag(dialog.remote);

/** The header lines of a request in the dialog, without Via and Contact. */
export const dialogHeaders = (dialog: VirtualDialog, cseq: string): readonly HeaderLine[] => [
  ["Max-Forwards", "70"],
  ["From", dialog.local],
  ["To", dialog.remote],
  ["Call-ID", dialog.callId],
  ["CSeq", cseq],
  ...dialog.routes.map((route) => ["Route", route] as const),
];

export const contactOf = (message: SipText): string => uriOf(headerList(message, "contact")[0] ?? "");
