/** Builds the Deployment of the nodes. Every change of the pod template restarts all nodes, so a test pins its hash. */
import type { ImagePull } from "../../config.ts";
import type { Manifest } from "../../runtime/manifests.ts";
import type { ServedCluster } from "../resource.ts";
import { mergeTemplate } from "./merge-template.ts";
import { labelsOf, namesOf, selectorLabels } from "./names.ts";
import { owned } from "./owned.ts";
import { mounts, ports } from "./ports.ts";
import { parseQuantity } from "./quantity.ts";

/** A node on a lost host is replaced after this time, in seconds. The default of Kubernetes is five minutes. */
const lostHostSeconds = 30;
/** After this time the load balancer and kube-proxy know a new node. */
const settleSeconds = 10;
/** From the end of `drain.timeoutSeconds` to SIGKILL, in seconds. */
const graceBeyondDrain = 30;
/** The rest of the memory limit is for buffers, code and the runtime itself. */
const heapShare = 0.7;
/** MiB. Without it V8's young generation grows too large for a small memory limit. */
const semiSpace = 16;

export interface NodeBuild {
  readonly image: string;
  readonly pull: ImagePull;
  /** The hash of the settings that a node reads only at its start. */
  readonly restartHash: string;
}

export function buildDeployment(cluster: ServedCluster, build: NodeBuild): Manifest {
  const { name } = cluster.reference;
  return {
    ...owned(cluster, { apiVersion: "apps/v1", kind: "Deployment" }, namesOf(cluster).nodes),
    spec: {
      replicas: cluster.replicas,
      minReadySeconds: settleSeconds,
      revisionHistoryLimit: 5,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: selectorLabels(name) },
      template: podTemplate(cluster, build),
    },
  };
}

function podTemplate(cluster: ServedCluster, build: NodeBuild) {
  const { metadata, spec } = cluster.template;
  return {
    metadata: {
      labels: { ...metadata?.labels, ...labelsOf(cluster.reference.name) },
      annotations: { ...metadata?.annotations, "sip.strowger.dev/restart": build.restartHash },
    },
    spec: mergeTemplate(podSpec(cluster, build), spec ?? {}),
  };
}

function podSpec(cluster: ServedCluster, { image, pull }: NodeBuild) {
  const toleration = (condition: string) => ({
    key: `node.kubernetes.io/${condition}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: lostHostSeconds,
  });
  return {
    serviceAccountName: namesOf(cluster).nodes,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: cluster.drainTimeout + graceBeyondDrain,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: selectorLabels(cluster.reference.name) },
        matchLabelKeys: ["pod-template-hash"],
      },
    ],
    tolerations: [toleration("not-ready"), toleration("unreachable")],
    ...(pull.secrets.length === 0 ? {} : { imagePullSecrets: pull.secrets.map((name) => ({ name })) }),
    containers: [container(cluster, image, pull)],
    volumes: volumes(cluster),
  };
}

const container = ({ resources, mysql }: ServedCluster, image: string, { policy }: ImagePull) => ({
  name: "sip-node",
  image,
  ...(policy === undefined ? {} : { imagePullPolicy: policy }),
  env: [
    { name: "STROWGER_CONFIG", value: `${mounts.config}/config.json` },
    { name: "STROWGER_KEYS", value: `${mounts.keys}/keys.json` },
    fromField("STROWGER_NODE_NAME", "metadata.name"),
    fromField("STROWGER_POD_IP", "status.podIP"),
    ...heapLimit(resources.limits?.["memory"]),
  ],
  ports: [
    { name: "sip", containerPort: ports.sip, protocol: "UDP" },
    { name: "cluster", containerPort: ports.cluster, protocol: "UDP" },
    { name: "metrics", containerPort: ports.metrics, protocol: "TCP" },
  ],
  // Both probes depend on the event loop alone. The liveness probe allows more time.
  readinessProbe: probe("/readyz", { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 }),
  livenessProbe: probe("/healthz", { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 }),
  resources,
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
  terminationMessagePolicy: "FallbackToLogsOnError",
  volumeMounts: [
    mount("config", mounts.config),
    mount("keys", mounts.keys),
    mount("mysql", mounts.mysql),
    ...(mysql.tls?.ca === undefined ? [] : [mount("mysql-ca", mounts.mysqlCa)]),
  ],
});

const fromField = (name: string, fieldPath: string) => ({
  name,
  valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } },
});

function heapLimit(memory: string | number | undefined): readonly { name: string; value: string }[] {
  const bytes = memory === undefined ? undefined : parseQuantity(memory);
  if (bytes === undefined) return [];
  const oldSpace = Math.floor((bytes * heapShare) / 2 ** 20);
  return [
    { name: "NODE_OPTIONS", value: `--max-old-space-size=${oldSpace} --max-semi-space-size=${semiSpace}` },
  ];
}

const probe = (path: string, timing: Readonly<Record<string, number>>) => ({
  httpGet: { path, port: "metrics", scheme: "HTTP" },
  ...timing,
});

const mount = (name: string, mountPath: string) => ({ name, mountPath, readOnly: true });

/** Readable by the owner and the group of the pod. */
const secretMode = 0o440;

function volumes(cluster: ServedCluster) {
  const { nodes, keys } = namesOf(cluster);
  const { mysql } = cluster;
  const ca = mysql.tls?.ca;
  return [
    { name: "config", configMap: { name: nodes, defaultMode: 0o444 } },
    { name: "keys", secret: { secretName: keys, defaultMode: secretMode } },
    { name: "mysql", secret: { secretName: mysql.credentialsSecret, defaultMode: secretMode } },
    ...(ca === undefined
      ? []
      : [
          {
            name: "mysql-ca",
            secret: {
              secretName: ca.secret,
              items: [{ key: ca.key, path: "ca.crt" }],
              defaultMode: secretMode,
            },
          },
        ]),
  ];
}
