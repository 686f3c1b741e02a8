/** The operator's configuration: read once from the environment into a frozen value, with all problems in one report. */
import { isIP } from "node:net";
import { parseDatabaseUrl, type DatabaseAddress } from "./adapters/mysql/database-url.ts";
import { ownValue } from "./runtime/own-value.ts";

/** A folder of YAML files and its database. */
export interface FilesConfig {
  readonly kind: "files";
  /** Folder of YAML files. */
  readonly files: string;
  /** Folder for generated passwords. */
  readonly data: string;
  readonly database: DatabaseAddress;
}

/** The Kubernetes API; each SipCluster names its own database. */
export interface KubernetesConfig {
  readonly kind: "kubernetes";
  /** Namespaces to watch; empty: all. */
  readonly namespaces: readonly string[];
  /** The identity of this process in the Lease. */
  readonly pod: string;
  /** The namespace of the Lease. */
  readonly podNamespace: string;
  readonly lease: string;
  /** The image of SIP nodes, unless a SipCluster has one. */
  readonly nodeImage: string;
  readonly nodePull: ImagePull;
  /** CIDRs of pods and nodes; empty: read from Node objects. */
  readonly clusterRanges: readonly string[];
  /** NetworkPolicyPeers that may read the nodes' metrics; empty: only kubelets. */
  readonly metricsFrom: readonly unknown[];
}

/** How kubelets pull the nodes' image, unless a SipCluster's template has its own settings. */
export interface ImagePull {
  /** Undefined: the default of Kubernetes. */
  readonly policy: PullPolicy | undefined;
  /** Names of Secrets in the SipCluster's namespace. */
  readonly secrets: readonly string[];
}

export type PullPolicy = (typeof pullPolicies)[number];

export interface Config {
  readonly source: FilesConfig | KubernetesConfig;
  readonly http: { readonly host: string; readonly port: number };
  readonly logLevel: string;
  /** How many reconciles of each kind run at the same time. */
  readonly workers: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const pullPolicies = ["Always", "IfNotPresent", "Never"] as const;
const logLevels = ["trace", "debug", "info", "warn", "error", "silent"];
/** All pods of all namespaces. */
const allPods = '[{"namespaceSelector":{}}]';

/** The configuration, or all problems of the environment. No problem contains a password. */
export function readConfig(environment: Environment): Config | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const source = sourceConfig(environment, problems);
  const http = parseListener(environment["STROWGER_HTTP"] ?? "127.0.0.1:8080");
  if (http === undefined)
    problems.push("STROWGER_HTTP is not address:port; expected for example 127.0.0.1:8080");
  const logLevel = environment["STROWGER_LOG_LEVEL"] ?? "info";
  if (!logLevels.includes(logLevel))
    problems.push(`STROWGER_LOG_LEVEL is ${logLevel}; expected ${logLevels.join(", ")}`);
  const workers = parseWorkers(environment["STROWGER_WORKERS"] ?? "32");
  if (workers === undefined)
    problems.push(`STROWGER_WORKERS is ${environment["STROWGER_WORKERS"]}; expected 1 to ${maxWorkers}`);
  if (problems.length > 0 || workers === undefined || source === undefined || http === undefined)
    return { problems };
  return Object.freeze({ source: Object.freeze(source), http, logLevel, workers });
}

function sourceConfig(environment: Environment, problems: string[]): Config["source"] | undefined {
  const kind = environment["STROWGER_SOURCE"] ?? "files";
  if (kind === "kubernetes") return kubernetesConfig(environment, problems);
  if (kind === "files") return filesConfig(environment, problems);
  problems.push(`STROWGER_SOURCE is ${kind}; expected files or kubernetes`);
  return undefined;
}

function filesConfig(environment: Environment, problems: string[]): FilesConfig | undefined {
  const required = requiredIn(environment, problems);
  const files = required("STROWGER_FILES", "the folder of YAML files");
  const data = required("STROWGER_DATA", "a folder for generated passwords");
  const url = required("STROWGER_MYSQL_URL", "mysql://user:password@host:port/database");
  const database = parseDatabaseUrl(url);
  if (!("problem" in database)) return { kind: "files", files, data, database };
  if (url !== "") problems.push(`STROWGER_MYSQL_URL ${database.problem}`);
  return undefined;
}

function kubernetesConfig(environment: Environment, problems: string[]): KubernetesConfig {
  const required = requiredIn(environment, problems);
  const clusterRanges = listOf(environment["STROWGER_CLUSTER_RANGES"]);
  for (const range of clusterRanges)
    if (!isRange(range))
      problems.push(`STROWGER_CLUSTER_RANGES has ${range}; expected a CIDR such as 10.0.0.0/8`);
  return {
    kind: "kubernetes",
    namespaces: listOf(environment["STROWGER_NAMESPACES"]),
    pod: required("STROWGER_POD_NAME", "the name of this pod"),
    podNamespace: required("STROWGER_POD_NAMESPACE", "the namespace of this pod"),
    lease: environment["STROWGER_LEASE"] ?? "strowger-operator",
    nodeImage: required("STROWGER_SIP_NODE_IMAGE", "the image of the SIP nodes"),
    nodePull: {
      policy: pullPolicyOf(environment["STROWGER_SIP_NODE_PULL_POLICY"], problems),
      secrets: listOf(environment["STROWGER_SIP_NODE_PULL_SECRETS"]),
    },
    clusterRanges,
    metricsFrom: parseList(environment["STROWGER_METRICS_FROM"] ?? allPods, problems),
  };
}

function requiredIn(
  environment: Environment,
  problems: string[],
): (name: string, expected: string) => string {
  return (name, expected) => {
    const value = ownValue(environment, name) ?? "";
    if (value === "") problems.push(`${name} is not set; expected ${expected}`);
    return value;
  };
}

function pullPolicyOf(text: string | undefined, problems: string[]): PullPolicy | undefined {
  if (text === undefined || text === "") return undefined;
  const known = pullPolicies.find((policy) => policy === text);
  if (known === undefined)
    problems.push(`STROWGER_SIP_NODE_PULL_POLICY is ${text}; expected ${pullPolicies.join(", ")}`);
  return known;
}

const listOf = (text = ""): readonly string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function isRange(text: string): boolean {
  const [address = "", length = "", ...more] = text.split("/");
  const family = isIP(address);
  return (
    more.length === 0 &&
    family !== 0 &&
    /^\d{1,3}$/.test(length) &&
    Number(length) <= (family === 4 ? 32 : 128)
  );
}

function parseList(text: string, problems: string[]): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch {
    // reported below, like a value that is not a list
  }
  problems.push("STROWGER_METRICS_FROM is not a JSON list; expected a list of NetworkPolicyPeer");
  return [];
}

/** A reconcile mostly waits for MySQL and the API server, where the work of many is joined. More would only wait for each other. */
const maxWorkers = 64;

function parseWorkers(text: string): number | undefined {
  const workers = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return workers >= 1 && workers <= maxWorkers ? workers : undefined;
}

/** IPv6 in brackets; port 0: any free port. */
function parseListener(text: string): Config["http"] | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  const host = found?.[1] ?? found?.[2];
  return host === undefined || port > 65_535 ? undefined : { host, port };
}
