/** Gauges about the objects of the operator, computed when they are scraped. */
import { Gauge, type Registry } from "prom-client";
import type { KubernetesObject } from "../runtime/object.ts";
import type { SipClusterSpec, SipClusterStatus } from "../sources/types.ts";
import { conditionSeries, maxConditionSeries } from "./condition-series.ts";

/** Lists the objects of a kind. Empty if this process is not the leader, so that only one operator reports them. */
export type ListObjects = (kind: string) => readonly KubernetesObject[];

/** In this order their conditions are listed. */
const kinds = ["SipCluster", "SipDomain", "SipUser"];

export class ObjectGauges {
  #list: ListObjects = () => [];

  constructor(registry: Registry) {
    registerConditions(registry, (kind) => this.#list(kind));
    registerNodes(registry, (kind) => this.#list(kind));
  }

  /** Reads the objects from `list` from now on. */
  watch(list: ListObjects): void {
    this.#list = list;
  }
}

function registerConditions(registry: Registry, list: ListObjects): void {
  new Gauge({
    name: "strowger_condition",
    help: `1 for each condition of a SipCluster, and for Ready of a SipDomain or SipUser while it is not True; at most ${maxConditionSeries} series`,
    labelNames: ["kind", "namespace", "name", "type", "status"],
    registers: [registry],
    // Registered first, so that a scrape collects it before it reads the two gauges below.
    collect() {
      const series = conditionSeries(kinds.flatMap((kind) => list(kind)));
      this.reset();
      counts.reset();
      for (const labels of series.conditions) this.set({ ...labels }, 1);
      for (const { labels, count } of series.counts) counts.set({ ...labels }, count);
      omitted.set(series.omitted);
    },
  });
  const registers = [registry];
  const counts = new Gauge({
    name: "strowger_condition_objects",
    help: "Objects that have a condition of this type with this status and reason; without a reason: the object was not reconciled yet",
    labelNames: ["kind", "type", "status", "reason"],
    registers,
  });
  const omitted = new Gauge({
    name: "strowger_condition_omitted",
    help: "Series of strowger_condition that the limit omits",
    registers,
  });
}

function registerNodes(registry: Registry, list: ListObjects): void {
  const gauge = (name: string, help: string, valueOf: (cluster: KubernetesObject) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ["namespace", "name"],
      registers: [registry],
      collect() {
        this.reset();
        for (const cluster of list("SipCluster")) {
          const { namespace, name } = cluster.metadata;
          this.set({ namespace, name }, valueOf(cluster));
        }
      },
    });
  };
  gauge(
    "strowger_cluster_replicas",
    "SIP nodes that a SipCluster should have (spec.replicas)",
    ({ spec }) => (spec as SipClusterSpec).replicas,
  );
  gauge(
    "strowger_cluster_ready_nodes",
    "SIP nodes of a SipCluster that report to its database and are not draining (status.readyNodes)",
    ({ status }) => (status as SipClusterStatus | undefined)?.readyNodes ?? 0,
  );
}
