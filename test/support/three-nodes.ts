/** Three nodes that know each other, for the tests of `sip-node/src/cluster/cluster.ts`. */
import { createSeal } from "../../sip-node/src/auth/create-seal.ts";
import type { Seal } from "../../sip-node/src/wire/seal.ts";
import { flowOf } from "../../sip-node/src/wire/flow.ts";
import { SimulatedNet, type SimulatedNode } from "./simulated-net.ts";

export interface ThreeNodes {
  readonly net: SimulatedNet;
  readonly a: SimulatedNode;
  readonly b: SimulatedNode;
  readonly c: SimulatedNode;
}

/** The flow of a phone. */
export const flow = flowOf("198.51.100.7", 4711);
/** A message of that phone, or to it. */
export const message = "MESSAGE";

export async function startThreeNodes(): Promise<ThreeNodes> {
  const net = new SimulatedNet();
  const [a, b, c] = [net.join("a"), net.join("b"), net.join("c")];
  await net.pass(2_500);
  for (const { did } of [a, b, c]) did.length = 0;
  return { net, a, b, c };
}

/** The seal of the nodes' frames. */
export const sealOf = (net: SimulatedNet): Seal =>
  createSeal(
    [{ id: "k", key: Buffer.alloc(32, "k"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }],
    "relay",
    () => net.now,
  );

/** The promise's value when no datagram is under way and collected acknowledgements were sent; undefined: it is pending. */
export async function outcomeOn<T>(
  net: SimulatedNet,
  promise: Promise<T> | undefined,
): Promise<T | undefined> {
  let value: T | undefined;
  void promise?.then((settled) => (value = settled));
  await net.settle();
  if (value === undefined) await net.pass(25);
  return value;
}

/** The node hands a request over. Returns the keys of the requests that it serves itself, as far as they are known. */
export function handOverFrom({ cluster }: SimulatedNode, key: string): readonly string[] {
  const served: string[] = [];
  const serve = () => void served.push(key);
  cluster.handOver.start({ key, datagram: message, flow, isHeld: undefined, serve });
  return served;
}

/** For each node, how many requests were handed over to it. */
export const countTaken = (nodes: readonly SimulatedNode[]): number[] =>
  nodes.map(({ did }) => did.filter((what) => what.startsWith("handed over")).length);
