/** Fixtures for the tests of sip-cluster. */
import type { KubernetesObject } from "../../../operator/src/runtime/object.ts";
import type { NodeRow } from "../../../operator/src/adapters/mysql/node-rows.ts";
import { parseSipCluster, type SipCluster } from "../../../operator/src/sip-cluster/resource.ts";
import type {
  ClusterState,
  FleetState,
  OpenDatabase,
  Pod,
} from "../../../operator/src/sip-cluster/current-state.ts";

export interface ClusterFixture {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** SipCluster tel/pbx with the defaults of the schema. */
export const makeCluster = (given: ClusterFixture = {}): SipCluster =>
  parseSipCluster(makeClusterObject(given));

export function makeClusterObject({ spec, annotations = {} }: ClusterFixture = {}): KubernetesObject {
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

export const makeDatabase = (more: Partial<OpenDatabase>): OpenDatabase => ({
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

export const makeNode = (name: string, more: Partial<NodeRow> = {}): NodeRow => ({
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
  sinceHeartbeat: 500,
  sinceStart: 600_000,
  sinceOutside: undefined,
  ...more,
});

export const makePod = (name: string, more: Partial<Pod> = {}): Pod => ({
  name,
  uid: `uid-${name}`,
  ip: "10.1.0.1",
  isRunning: true,
  isReady: true,
  isTerminating: false,
  problem: undefined,
  annotations: {},
  ...more,
});

export const makeFleet = (more: Partial<FleetState> = {}): FleetState => ({
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

export const makeClusterState = (more: Partial<ClusterState> = {}): ClusterState => ({
  now: 1_000_000,
  status: {},
  database: makeDatabase({}),
  fleet: makeFleet(),
  ...more,
});
