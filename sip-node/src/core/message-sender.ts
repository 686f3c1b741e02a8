/** Sends the messages of transactions, and responses without a transaction, to phones: the core's side of `cluster.deliver`. */
import type { Cluster } from "../cluster/cluster.ts";
import type { Destination } from "../cluster/delivery.ts";
import type { ClientTransaction } from "../transaction/client-transaction.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { TransactionDependencies } from "../transaction/transactions.ts";
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { ClientUser } from "./branch.ts";
import type { ServerContext } from "./server-context.ts";

export interface MessageSenderDependencies {
  /** This node's id. */
  readonly node: string;
  readonly cluster: Pick<Cluster, "deliver">;
  clock(): Ms;
}

export class MessageSender implements TransactionDependencies<ServerContext, ClientUser> {
  private readonly deps: MessageSenderDependencies;

  constructor(deps: MessageSenderDependencies) {
    this.deps = deps;
  }

  /**
   * A failure, at once or later, is reported to the transaction (§17.1.4, §17.2.4). The transaction passes a third argument, whether this is a
   * retransmission, which nothing uses yet.
   */
  send(text: string, transaction: ServerTransaction<ServerContext> | ClientTransaction<ClientUser>): void {
    const to =
      transaction.kind === "client"
        ? transaction.user.target
        : replyDestination(transaction.flow, this.deps.node);
    const pending = this.deps.cluster.deliver(to, text);
    void pending?.then((isSent) => {
      if (!isSent) transaction.transportFailed(this.deps.clock());
    });
  }

  /** The transaction has ended: a draining peer that handed its request over stops waiting for it. */
  ended(transaction: ServerTransaction<ServerContext> | ClientTransaction<ClientUser>): void {
    if (transaction.kind === "server") transaction.context?.release?.();
  }

  /** Sends a message that belongs to no transaction. `node` received the flow's request; "": unknown. */
  sendBack(text: string, flow: Flow, node = this.deps.node): void {
    void this.deps.cluster.deliver(replyDestination(flow, node), text);
  }

  /** Returns undefined when it is sent. The promise resolves when it is sent or cannot be sent. */
  sendTo(text: string, target: Destination): undefined | Promise<boolean> {
    return this.deps.cluster.deliver(target, text);
  }
}

/**
 * A response goes to the source of its request (§18.2.2). Behind an address translator only the flow's owner can reach it: `node`, unless
 * another node received from that flow since.
 */
const replyDestination = (flow: Flow, node: string): Destination => ({
  flow,
  isBehindNat: true,
  ownerNode: node,
});
