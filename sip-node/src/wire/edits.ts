/**
 * Changes of a message as edits of its bytes: what no edit names is copied as it came, in order (RFC 3261 §16.6 step 1).
 */
import { valueEnd } from "./list-values.ts";
import type { Field, Message, Request } from "./message.ts";
import { findField } from "./fields.ts";

/** Replaces `[start, end)` of the text; `start === end` inserts. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with the edits, which must not overlap; edits at one place apply in the order given. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const inOrder = edits.length < 2 ? edits : [...edits].sort((a, b) => a.start - b.start);
  let result = "";
  let at = 0;
  for (const edit of inOrder) {
    result += text.slice(at, edit.start) + edit.text;
    at = Math.max(at, edit.end); // an insertion where a removal begins must not bring back what was removed
  }
  return result + text.slice(at);
}

/** New header lines on top of all header fields. */
export const insertOnTop = (message: Message, lines: string): Edit => {
  const start = message.fields[0]?.start ?? message.bodyStart - 2;
  return { start, end: start, text: lines };
};

/** New header lines behind all header fields. */
export const insertAtEnd = (message: Message, lines: string): Edit => ({
  start: message.bodyStart - 2,
  end: message.bodyStart - 2,
  text: lines,
});

export const replaceRequestUri = (request: Request, uri: string): Edit => ({
  start: request.method.length + 1,
  end: request.method.length + 1 + request.uri.length,
  text: uri,
});

export const replaceTopVia = (message: Message, value: string): Edit => ({
  start: message.via.start,
  end: message.via.end,
  text: value,
});

export const replaceValue = (field: Field, value: string): Edit => ({
  start: field.valueStart,
  end: field.valueEnd,
  text: value,
});

export const removeField = (field: Field): Edit => ({ start: field.start, end: field.end, text: "" });

/** Takes away our Via on the way back (§16.7 step 3): the whole field when it was its only value. */
export function removeTopVia(message: Message): Edit {
  const field = findField(message.fields, "via");
  if (field === undefined) return { start: 0, end: 0, text: "" };
  const end = valueEnd(message.text, field.valueStart, field.valueEnd);
  return end === field.valueEnd ? removeField(field) : { start: field.valueStart, end: end + 1, text: "" };
}
