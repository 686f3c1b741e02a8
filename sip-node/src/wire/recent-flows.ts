/**
 * The flows that were used recently, one object for each: no key is built for each datagram and each opened token, and a look-up by a key
 * that was hashed before compares pointers. Two generations, as in `recent.ts`, with at most `limit` flows each, whatever their addresses are.
 */

/** The part of a flow by which it is found. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

export class RecentFlows<Flow extends Source> {
  private young = new Map<string, Map<number, Flow>>();
  private old = new Map<string, Map<number, Flow>>();
  private youngSize = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Its flow; `make` is called when it was not used recently. */
  get(address: string, port: number, make: (address: string, port: number) => Flow): Flow {
    const ports = this.young.get(address);
    const known = ports?.get(port);
    if (known !== undefined) return known;
    const flow = this.old.get(address)?.get(port) ?? make(address, port);
    if (this.youngSize >= this.limit) this.startGeneration();
    this.add(flow);
    return flow;
  }

  private add(flow: Flow): void {
    const ports = this.young.get(flow.address);
    if (ports === undefined) this.young.set(flow.address, new Map([[flow.port, flow]]));
    else ports.set(flow.port, flow);
    this.youngSize += 1;
  }

  private startGeneration(): void {
    this.old = this.young;
    this.young = new Map();
    this.youngSize = 0;
  }
}
