/** Forwards ACKs to 2xx responses (RFC 3261 §16.11, §17): they have no transaction, and are dropped when they cannot be routed. */
import { routeAck } from "../proxy/proxy.ts";
import type { ProxyDependencies, Routing } from "../proxy/routing.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { BranchCopies } from "./branch-copies.ts";
import { markParties, type MarkDependencies } from "./mark-parties.ts";
import type { MessageSender } from "./message-sender.ts";

export interface AcksDependencies extends ProxyDependencies, MarkDependencies {}

export class Acks {
  private readonly deps: AcksDependencies;
  private readonly copies: BranchCopies;
  private readonly sender: MessageSender;
  private forwardingCount = 0;

  constructor(deps: AcksDependencies, copies: BranchCopies, sender: MessageSender) {
    this.deps = deps;
    this.copies = copies;
    this.sender = sender;
  }

  /** True while an ACK waits for a look-up or for the owner of the flow. The node must not exit then: no transaction retransmits an ACK. */
  get isForwarding(): boolean {
    return this.forwardingCount > 0;
  }

  forwardAck(request: Request, flow: Flow): void {
    const routing = routeAck(request, this.deps);
    const pending =
      routing instanceof Promise
        ? routing.then((found) => this.send(request, flow, found))
        : this.send(request, flow, routing);
    if (pending === undefined) return;
    this.forwardingCount += 1;
    void pending.finally(() => (this.forwardingCount -= 1));
  }

  /** Returns undefined when it is sent or dropped. */
  private send(
    request: Request,
    flow: Flow,
    routing: Routing | undefined,
  ): undefined | Promise<boolean | undefined> {
    const target = routing?.targets[0];
    if (routing === undefined || target === undefined) return undefined;
    markParties(flow, routing, this.deps);
    const { text } = this.copies.make(request, flow, target, routing);
    return this.sender.sendTo(text, target);
  }
}
