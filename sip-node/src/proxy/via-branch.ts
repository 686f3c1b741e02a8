/**
 * The branch parameter of our Via (RFC 3261 §8.1.1.7, §16.6 step 8): the node that waits for the response, with a seal that any other node
 * can check.
 *
 *   z9hG4bK nnnnnnnnnnnn llllllll ssssssssssssssssss u...
 *           node id      loop     seal                a number, unique on the node
 *
 * The seal covers the rest of the branch, the Call-ID and the caller's flow (design-sip rule 3). All nodes compute the
 * same loop hash: it depends on no node and no key (design-sip rule 8). An ACK has no response, so its branch has zeros instead of a seal.
 */
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { type Seal, sealLength } from "../wire/seal.ts";
import { textHash } from "../wire/text-hash.ts";

const cookie = "z9hG4bK";
const nodeLength = 12;
const loopLength = 8;
const loopStart = cookie.length + nodeLength;
const sealStart = loopStart + loopLength;
const numberStart = sealStart + sealLength;
const noSeal = "0".repeat(sealLength);

export interface ViaBranch {
  readonly node: string;
  readonly loop: string;
}

/** `seal`: undefined for an ACK. */
export function makeViaBranch(
  node: string,
  number: number,
  loop: string,
  callId: string,
  caller: Flow,
  seal: Seal | undefined,
): string {
  const unique = number.toString(36);
  const proof = seal?.seal(sealed(node, loop, unique, callId, caller.key)) ?? noSeal;
  return cookie + node + loop + proof + unique;
}

/** The parts of a branch with our format, without a check of its seal; undefined for any other text. */
export function readViaBranch(branch: string | undefined): ViaBranch | undefined {
  if (branch === undefined || branch.length <= numberStart || !branch.startsWith(cookie)) return undefined;
  const node = branch.slice(cookie.length, loopStart);
  return /^[0-9a-f]{12}$/.test(node) ? { node, loop: branch.slice(loopStart, sealStart) } : undefined;
}

/** Whether the seal is right: a node of this cluster made the branch for this Call-ID and flow. */
export function isOwnViaBranch(branch: string, callId: string, callerFlowKey: string, seal: Seal): boolean {
  const read = readViaBranch(branch);
  if (read === undefined) return false;
  const data = sealed(read.node, read.loop, branch.slice(numberStart), callId, callerFlowKey);
  return seal.isSealed(data, branch.slice(sealStart, numberStart));
}

const sealed = (node: string, loop: string, unique: string, callId: string, flowKey: string): string =>
  `${node} ${loop} ${unique} ${callId} ${flowKey}`;

/**
 * A hash of all values that decide the routing (§16.6 step 8, RFC 5393 §4.2): a request that returns with the same hash is in a loop. `routes`:
 * the Route values of the request.
 */
export function loopHash(request: Request, routes: string): string {
  const { uri, from, callId, cseq } = request;
  const hash = textHash([uri, routes, callId, from.tag ?? "", String(cseq.number), cseq.method]);
  return fourDigits(hash >>> 16) + fourDigits(hash & 0xffff);
}

/** V8 writes a number above 2^31 with divisions of doubles: `toString(16)` of the whole takes ten times as long. */
const fourDigits = (word: number): string => (0x1_0000 | word).toString(16).slice(1);
