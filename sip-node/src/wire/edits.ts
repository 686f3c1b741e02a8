/** Changes of a message as edits of its text. All other text is copied unchanged and in order (RFC 3261 §16.6 step 1). */
import { valueEnd } from "./list-values.ts";
import type { Field, Message, Request } from "./message.ts";
import { findField } from "./fields.ts";

/** Replaces `[start, end)` of the text. `start === end` inserts. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Returns the edited text. Edits must not overlap. Edits at the same place are applied in their order in the list. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of inOrder(edits)) {
    result += text.slice(at, edit.start) + edit.text;
    at = Math.max(at, edit.end); // an insertion at the start of a removal must not restore the removed text
  }
  return result + text.slice(at);
}

/** By their place; the order of edits at one place stays. By insertion: there are about five, and `sort` makes closures and copies. */
function inOrder(edits: readonly Edit[]): readonly Edit[] {
  const sorted: Edit[] = [];
  for (const edit of edits) {
    let place = sorted.length;
    for (; place > 0; place--) {
      const before = sorted[place - 1];
      if (before === undefined || before.start <= edit.start) break;
      sorted[place] = before;
    }
    sorted[place] = edit;
  }
  return sorted;
}

/** Adds header lines before all header fields. */
export const insertOnTop = (message: Message, lines: string): Edit => {
  const start = message.fields[0]?.start ?? message.bodyStart - 2;
  return { start, end: start, text: lines };
};

/** Adds header lines after all header fields. */
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

/** Removes the top Via of a response (§16.7 step 3), and the whole field when it has no other value. */
export function removeTopVia(message: Message): Edit {
  const field = findField(message.fields, "via");
  if (field === undefined) return { start: 0, end: 0, text: "" };
  const end = valueEnd(message.text, field.valueStart, field.valueEnd);
  return end === field.valueEnd ? removeField(field) : { start: field.valueStart, end: end + 1, text: "" };
}
