/** Makes the copy of a request for one target (RFC 3261 §16.6), with the branch of its Via and the flow token of its Record-Route. */
import type { SentToken } from "../proxy/callee-contact.ts";
import { sealToken } from "../proxy/flow-token.ts";
import type { Party } from "../proxy/packed-party.ts";
import { requestCopy, mayCreateDialog } from "../proxy/request-copy.ts";
import { identityEdits } from "../proxy/identity.ts";
import type { ProxyDependencies, Routing } from "../proxy/routing.ts";
import type { Target } from "../proxy/targets.ts";
import { makeViaBranch } from "../proxy/via-branch.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { Seal } from "../wire/seal.ts";
import { textHash } from "../wire/text-hash.ts";

export interface BranchCopiesDependencies
  extends Pick<ProxyDependencies, "addresses" | "tokenSeal" | "node" | "isPeer"> {
  /** Seals the branch of our Via. */
  readonly branchSeal: Seal;
}

export interface BranchCopy {
  /** The branch parameter of our Via. */
  readonly viaBranch: string;
  /** The request as it is sent. */
  readonly text: string;
  /** Undefined: it has no Record-Route. */
  readonly token: SentToken | undefined;
}

export class BranchCopies {
  private readonly deps: BranchCopiesDependencies;
  private number = 0;

  constructor(deps: BranchCopiesDependencies) {
    this.deps = deps;
  }

  /** `source`: the flow that the request came from. */
  make(request: Request, source: Flow, target: Target, routing: Routing): BranchCopy {
    const { deps } = this;
    const { loop, caller, maxForwards, proven } = routing;
    const trust = { isFromPeer: deps.isPeer(source), isToPeer: deps.isPeer(target.flow) };
    const edits = [...routing.edits, ...identityEdits(request, trust, proven)];
    const isAck = request.method === "ACK";
    const number = isAck ? numberOf(request) : (this.number += 1);
    const branchSeal = isAck ? undefined : deps.branchSeal;
    const viaBranch = makeViaBranch(deps.node, number, loop, request.callId, source, branchSeal);
    const token =
      caller !== undefined && mayCreateDialog(request) ? this.seal(request, caller, target) : undefined;
    const input = { request, source, edits, maxForwards, target, viaBranch, recordRoute: token?.text };
    return { viaBranch, text: requestCopy(input, deps.addresses), token };
  }

  private seal({ callId, from }: Request, caller: Party, callee: Party): SentToken {
    const text = sealToken({ caller, callee }, callId, from.tag ?? "", this.deps.tokenSeal);
    return { text, caller, callee, refreshed: undefined };
  }
}

/** An ACK has no transaction that recognises a retransmission: each copy of one ACK gets the same branch (§16.11), which has the loop hash too. */
const numberOf = ({ text, via, callId }: Request): number =>
  textHash([text.slice(via.start, via.end), callId]);
