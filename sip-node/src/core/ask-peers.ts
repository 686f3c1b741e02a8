/** Whether a peer has a transaction of a new request (design-sip rule 4). */
import type { Cluster } from "../cluster/cluster.ts";
import type { KnownFlow } from "../cluster/flow-directory.ts";
import type { Flow } from "../wire/flow.ts";
import type { Arrival } from "./arrival.ts";

type Peers = Pick<Cluster, "mustAskPeers" | "offer">;

/** A REGISTER that arrives twice changes nothing (rule 13); the handler of CANCEL asks peers itself. */
const neverAsked: ReadonlySet<string> = new Set(["REGISTER", "CANCEL"]);

/**
 * Asks peers when the request may be a retransmission that another node received first: another node received from its flow shortly
 * before.
 * Undefined: there is no reason to ask.
 */
export function askPeers(
  { request, datagram, flow, knownFlow }: Arrival,
  cluster: Peers,
): Promise<boolean> | undefined {
  if (knownFlow === undefined || neverAsked.has(request.method)) return undefined;
  if (knownFlow.announcement === undefined && !cluster.mustAskPeers(knownFlow)) return undefined;
  return isHeldByPeer(datagram, flow, knownFlow, cluster);
}

async function isHeldByPeer(
  datagram: string,
  flow: Flow,
  knownFlow: KnownFlow,
  cluster: Peers,
): Promise<boolean> {
  await knownFlow.announcement;
  return cluster.mustAskPeers(knownFlow) && cluster.offer(datagram, flow);
}
