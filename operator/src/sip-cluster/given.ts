/** What tests of this room begin with. */
import type { KubernetesObject } from "../runtime/object.ts";
import type { NodeRow } from "../adapters/mysql/node-rows.ts";
import { parseSipCluster, type SipCluster } from "./resource.ts";
import type { ClusterWorld, FleetWorld, OpenDatabase, Pod } from "./world.ts";

export interface Given {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** SipCluster tel/pbx with the defaults of the schema. */
export const givenCluster = (given: Given = {}): SipCluster => parseSipCluster(givenObject(given));

export function givenObject({ spec, annotations = {} }: Given = {}): KubernetesObject {
  return {
    kind: "SipCluster",
    metadata: { namespace: "tel", name: "pbx", uid: "u1", generation: 1, annotations },
    spec: {
      replicas: 2,
      service: { mode: "Mixed", type: "LoadBalancer" },
      drain: { timeoutSeconds: 240 },
      mysql: {
        hosts: ["mysql.tel.svc"],
        port: 3306,
        database: "opensips",
        credentialsSecretRef: { name: "mysql-nodes" },
      },
      ...spec,
    },
  };
}

export const givenDatabase = (more: Partial<OpenDatabase>): OpenDatabase => ({
  kind: "open",
  installationId: "i",
  holder: { namespace: "tel", name: "pbx", uid: "u1" },
  isLed: false,
  beat: { leader: "", age: Number.POSITIVE_INFINITY },
  uidNow: undefined,
  schema: { number: 3, servesFrom: 1, next: undefined },
  nodes: [],
  registrations: 0,
  login: {},
  replaced: undefined,
  ...more,
});

export const givenNode = (name: string, more: Partial<NodeRow> = {}): NodeRow => ({
  id: `id-${name}`,
  name,
  schemaMin: 3,
  schemaMax: 3,
  configurationHash: "",
  load: 0,
  isDraining: false,
  callsPerMinute: 0,
  requestsPerMinute: 0,
  databaseError: "",
  sinceBeat: 500,
  sinceStart: 600_000,
  sinceOutside: undefined,
  ...more,
});

export const givenPod = (name: string, more: Partial<Pod> = {}): Pod => ({
  name,
  uid: `uid-${name}`,
  ip: "10.1.0.1",
  isRunning: true,
  isReady: true,
  isTerminating: false,
  trouble: undefined,
  annotations: {},
  ...more,
});

export const givenFleet = (more: Partial<FleetWorld> = {}): FleetWorld => ({
  defaultImage: "registry.example/strowger/sip-node:0.1.0",
  nodePull: { policy: undefined, secrets: [] },
  metricsFrom: [{ namespaceSelector: {} }],
  insideRanges: ["10.0.0.0/8"],
  live: new Map(),
  services: [],
  pods: [],
  domains: [],
  freshKey: { id: "k1", key: Buffer.alloc(32, 1).toString("base64") },
  hasCredentials: true,
  probe: undefined,
  traffic: [],
  ...more,
});

export const givenWorld = (more: Partial<ClusterWorld> = {}): ClusterWorld => ({
  now: 1_000_000,
  status: {},
  database: givenDatabase({}),
  fleet: givenFleet(),
  ...more,
});
