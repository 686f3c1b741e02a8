/** Whether a peer has a transaction of a new request (design-sip rule 4). */
import type { Cluster } from "../cluster/cluster.ts";
import type { KnownFlow } from "../cluster/flow-directory.ts";
import type { Flow } from "../wire/flow.ts";
import type { Arrival } from "./arrival.ts";

type Peers = Pick<Cluster, "mustAskPeers" | "offer">;

/** A REGISTER that arrives twice changes nothing (rule 13); the handler of CANCEL asks itself. */
const neverAsked: ReadonlySet<string> = new Set(["REGISTER", "CANCEL"]);

/**
 * Asks where the request may be a retransmission that another node received first: on a flow that another node heard shortly before.
 * Undefined: there is no reason to ask.
 */
export function askPeers(
  { request, bytes, flow, heard }: Arrival,
  cluster: Peers,
): Promise<boolean> | undefined {
  if (heard === undefined || neverAsked.has(request.method)) return undefined;
  if (heard.announcement === undefined && !cluster.mustAskPeers(heard)) return undefined;
  return isHeldByPeer(bytes, flow, heard, cluster);
}

async function isHeldByPeer(bytes: Buffer, flow: Flow, heard: KnownFlow, cluster: Peers): Promise<boolean> {
  await heard.announcement;
  return cluster.mustAskPeers(heard) && cluster.offer(bytes, flow);
}
