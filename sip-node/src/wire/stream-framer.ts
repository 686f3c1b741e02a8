/**
 * Messages from the bytes of a stream (RFC 3261 §18.3): a message ends where its Content-Length says, however the bytes are cut into segments.
 *
 *   CRLF CRLF before a message    a ping, which is a message of its own here (RFC 5626 §4.4.1)
 *   other CRLFs before a message  skipped
 *   header section                up to the first empty line; at most `maxMessageBytes` with the body
 *   body                          as many bytes as Content-Length says, which every message on a stream must have (RFC 3261 §20.14)
 *
 * Where the next message begins is unknown after a wrong length, so the connection has to be closed then. Pure: time limits are the adapter's.
 */
import { maxMessageBytes } from "./limits.ts";

/** `messages`: text with one character for each byte. `problem`: the bytes after them are no message; close the connection. */
export interface Framed {
  readonly messages: readonly string[];
  readonly problem: string | undefined;
}

const ping = "\r\n\r\n";
const headEnd = Buffer.from("\r\n\r\n");
const CR = 13;
const LF = 10;
const nothing = Buffer.alloc(0);

export class StreamFramer {
  /** What arrived of the next message. The array may be longer: it grows by doubling, so that a byte at a time is not copied each time. */
  private buffer: Buffer = nothing;
  private length = 0;
  /** The header section has no end before this offset. */
  private searched = 0;
  /** The length of the message whose header section has arrived; 0: it has not. */
  private expected = 0;

  /** Whether a part of a message waits for the rest. A CRLF alone, which some phones send as a ping, is no part of one. */
  get isPartial(): boolean {
    return this.length > ping.length - 1 || (this.length > 0 && this.buffer[0] !== CR);
  }

  /** `bytes` may be changed after the call. */
  push(bytes: Buffer): Framed {
    this.append(bytes);
    const messages: string[] = [];
    let from = 0;
    for (;;) {
      from = this.skipLineEnds(from, messages);
      const end = this.endOfMessage(from);
      if (typeof end === "string") return { messages, problem: end };
      if (end === undefined) break;
      messages.push(this.buffer.toString("latin1", from, end));
      from = end;
      this.searched = this.expected = 0;
    }
    this.discard(from, bytes);
    return { messages, problem: undefined };
  }

  /** Returns where the message begins. A CRLF that may be the first half of a ping stays. */
  private skipLineEnds(from: number, messages: string[]): number {
    const { buffer, length } = this;
    const isLineEnd = (at: number): boolean => at + 2 <= length && buffer[at] === CR && buffer[at + 1] === LF;
    let at = from;
    while (isLineEnd(at)) {
      const isPing = isLineEnd(at + 2);
      if (isPing) messages.push(ping);
      else if (at + 2 === length || (at + 3 === length && buffer[at + 2] === CR)) return at;
      at += isPing ? 4 : 2;
    }
    return at;
  }

  /** Undefined: it has not arrived yet. A text: it is no message. */
  private endOfMessage(from: number): number | string | undefined {
    const { buffer, length } = this;
    if (this.expected === 0) {
      const found = buffer.subarray(0, length).indexOf(headEnd, from + this.searched);
      if (found < 0) {
        this.searched = Math.max(0, length - from - (headEnd.length - 1));
        return length - from > maxMessageBytes ? "a header section without an end" : undefined;
      }
      const bodyStart = found + headEnd.length;
      const bodyLength = contentLength(buffer.toString("latin1", from, found + 2));
      if (typeof bodyLength === "string") return bodyLength;
      this.expected = bodyStart - from + bodyLength;
      if (this.expected > maxMessageBytes)
        return `a message of ${this.expected} bytes, at most ${maxMessageBytes}`;
    }
    return length - from >= this.expected ? from + this.expected : undefined;
  }

  private append(bytes: Buffer): void {
    if (this.length === 0) {
      // Most segments have whole messages: only what is left of them is copied, in `discard`
      this.buffer = bytes;
      this.length = bytes.length;
      return;
    }
    const needed = this.length + bytes.length;
    if (needed > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.max(needed, Math.min(2 * this.buffer.length, 2 * maxMessageBytes)),
      );
      this.buffer.copy(grown, 0, 0, this.length);
      this.buffer = grown;
    }
    bytes.copy(this.buffer, this.length);
    this.length = needed;
  }

  /** An idle connection keeps no memory, and nothing of the caller's segment. */
  private discard(until: number, segment: Buffer): void {
    if (until === this.length) {
      this.buffer = nothing;
      this.length = 0;
    } else if (until > 0 || this.buffer === segment) {
      this.buffer = Buffer.from(this.buffer.subarray(until, this.length));
      this.length = this.buffer.length;
    }
  }
}

/** The Content-Length of a header section. A text: there is none, more than one, or it is no number. */
function contentLength(head: string): number | string {
  const values = [...head.matchAll(/\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)/gi)];
  const [value, other] = values.map(([, text = ""]) => text);
  if (value === undefined) return "no Content-Length";
  if (other !== undefined) return "more than one Content-Length";
  return /^\d{1,8}$/.test(value) ? Number(value) : "Content-Length is not a number of bytes";
}
