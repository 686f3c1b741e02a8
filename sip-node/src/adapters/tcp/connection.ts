/** One connection: the messages that arrive on it, and what waits to be sent. */
import type { Socket } from "node:net";
import { type Flow, flowOf } from "../../wire/flow.ts";
import { StreamFramer } from "../../wire/stream-framer.ts";
import type { Ms } from "../../wire/units.ts";
import { type CloseReason, maxEndTime, maxIdleTime, maxMessageTime, maxUnread } from "./connection-limits.ts";

export interface ConnectionEvents {
  message(text: string, flow: Flow): void;
  /** `reason`: why this node closed it; undefined: the peer or the network did. */
  closed(reason: CloseReason | undefined): void;
}

export class Connection {
  readonly flow: Flow;
  /** Its phone has not authenticated. */
  isStranger = true;
  private readonly socket: Socket;
  private readonly framer = new StreamFramer();
  private reason: CloseReason | undefined;
  /** When the last message or ping was complete. */
  private completedAt: Ms;
  /** When the first byte of the message arrived that is not complete. */
  private partialSince: Ms | undefined;

  constructor(socket: Socket, now: () => Ms, events: ConnectionEvents) {
    this.socket = socket;
    this.flow = flowOf(socket.remoteAddress ?? "", socket.remotePort ?? 0, "tcp");
    this.completedAt = now();
    socket.on("data", (bytes) => this.receive(bytes, now(), events));
    socket.on("error", () => {}); // `close` follows
    socket.on("close", () => events.closed(this.reason));
  }

  /** False: it is closed, or the peer does not read. */
  send(text: string): boolean {
    if (this.socket.destroyed || !this.socket.writable) return false;
    this.socket.write(text, "latin1");
    if (this.socket.writableLength > maxUnread) this.close("unread");
    return !this.socket.destroyed;
  }

  /** Closes it if it is slow, or idle and of a stranger. */
  check(now: Ms): void {
    if (this.partialSince !== undefined && now - this.partialSince > maxMessageTime) this.close("slow");
    else if (this.isStranger && now - this.completedAt > maxIdleTime) this.close("idle");
  }

  /** Closes it after what was sent. The peer closes its side then; if it does not, this node does. */
  end(): void {
    this.socket.end();
    setTimeout(() => this.socket.destroy(), maxEndTime).unref();
  }

  close(reason?: CloseReason): void {
    this.reason ??= reason;
    this.socket.destroy();
  }

  private receive(bytes: Buffer, now: Ms, events: ConnectionEvents): void {
    const { messages, problem } = this.framer.push(bytes);
    for (const text of messages) events.message(text, this.flow);
    if (messages.length > 0) {
      this.completedAt = now;
      this.partialSince = undefined;
    }
    if (this.framer.isPartial) this.partialSince ??= now;
    if (problem !== undefined) this.close("malformed");
  }
}
