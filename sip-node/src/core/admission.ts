/**
 * Which datagrams of phones are served, before they are parsed (design-sip rule 24, ADR 48). The good path allocates nothing: one look-up of
 * the flow decides that its phone is authenticated.
 *
 *   datagram ─► class ─┬─ response, keepalive, while this node has room ─────────────────────► serve
 *                      └─ request ─► of an authenticated flow or a peer? ─ no ─► budget ─┬─► serve
 *                                                                                        └─► REGISTER ─► its turn ─► serve
 */
import type { Cluster } from "../cluster/cluster.ts";
import { datagramClass } from "../overload/datagram-class.ts";
import type { OverloadControl } from "../overload/overload-control.ts";
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";

export interface AdmissionDependencies {
  readonly cluster: Pick<Cluster, "isAuthenticated">;
  readonly overload: OverloadControl;
  clock(): Ms;
  isPeer(flow: Flow): boolean;
}

/** `isKnown`: the sender of a request is a configured peer, or a phone that authenticated on this flow. A source address can be forged. */
type Serve = (datagram: string, flow: Flow, isKnown: boolean) => void;

export class Admission {
  private readonly deps: AdmissionDependencies;
  private readonly serve: Serve;

  constructor(deps: AdmissionDependencies, serve: Serve) {
    this.deps = deps;
    this.serve = serve;
  }

  /** REGISTERs wait for their turn. */
  get isWaiting(): boolean {
    return this.deps.overload.registers.size > 0;
  }

  receive(datagram: string, flow: Flow): void {
    const { overload } = this.deps;
    const kind = datagramClass(datagram);
    const isRequest = kind !== "response" && kind !== "keepalive";
    if (!isRequest && overload.load.level === "normal") return this.serve(datagram, flow, false);
    const isKnown = this.deps.cluster.isAuthenticated(flow) || this.deps.isPeer(flow);
    const now = this.deps.clock();
    if (!isKnown && !overload.admitsStranger(kind, flow, now)) return;
    if (kind !== "register" || overload.registers.mayStart(datagram, flow, isKnown, now))
      this.serve(datagram, flow, isKnown);
  }

  /** Serves the REGISTERs whose turn it is. */
  advance(now: Ms): void {
    if (this.isWaiting)
      this.deps.overload.registers.advance(now, ({ datagram, flow, isKnown }) =>
        this.serve(datagram, flow, isKnown),
      );
  }
}
