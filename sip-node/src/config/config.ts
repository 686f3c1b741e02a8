/**
 * The node's configuration: a mounted JSON file and a mounted key ring, read in one place into frozen values, at the start and whenever
 * they change. All problems are told in one report.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { dirname } from "node:path";
import type { KeyRing } from "../auth/key-ring.ts";
import { type Capacity, capacity } from "./capacity.ts";
import { type AddressRange, type HostPort, JsonReader } from "./json-reader.ts";
import { locationSocket } from "./location-socket.ts";
import { readKeys } from "./read-keys.ts";
import { hostPort } from "../wire/flow.ts";
import { maxNodeAddress, maxNodeName } from "../wire/limits.ts";
import type { Epoch, Ms } from "../wire/units.ts";

export interface Config {
  readonly name: string;
  readonly sip: {
    readonly listen: HostPort;
    /** Several nodes share the listening address, and each may send to every phone. */
    readonly reusePort: boolean;
    readonly advertise: HostPort;
    /** The advertised address as `location.socket` says it; undefined where that column cannot hold it. */
    readonly locationSocket: string | undefined;
    /** Former advertised addresses that still count as ours. */
    readonly former: readonly HostPort[];
    /** The second socket, for phones whose owner is gone. */
    readonly direct: HostPort;
  };
  readonly cluster: { readonly listen: HostPort; readonly advertise: HostPort };
  readonly http: HostPort;
  /** Where the node is told to drain; nobody else may reach it. */
  readonly control: HostPort;
  readonly mysql: {
    readonly hosts: readonly HostPort[];
    readonly user: string;
    readonly password: string;
    readonly database: string;
    readonly connections: number;
    readonly tls: { readonly ca?: string } | undefined;
  };
  /** IP addresses whose calls are trusted without a challenge; a REGISTER never is. */
  readonly peers: readonly string[];
  /** How long a drain may take. */
  readonly drainTimeout: Ms;
  /** Pods' and nodes' addresses; phones elsewhere count as outside. Empty: not known, nobody does. */
  readonly insideRanges: readonly AddressRange[];
  readonly maxTransactions: number;
  readonly maxFlows: number;
  readonly logLevel: (typeof logLevels)[number];
}

export interface Settings {
  readonly config: Config;
  readonly keys: KeyRing;
  /** Of both files: hexadecimal SHA-256 of the configuration's bytes, a line feed, the keys' bytes. */
  readonly hash: string;
}

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${problems.map((text) => `  ${text}`).join("\n")}`,
    );
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Reads the files that STROWGER_CONFIG and STROWGER_KEYS name; `memory` is how many bytes the process may use. Throws `ConfigError` with
 * every problem of both.
 */
export function readConfig(environment: NodeJS.ProcessEnv, now: Epoch, memory: number): Settings {
  const problems: string[] = [];
  const [configFile, keysFile] = [
    readFile("STROWGER_CONFIG", environment, problems),
    readFile("STROWGER_KEYS", environment, problems),
  ];
  const config = toConfig(parse(configFile, problems), environment, capacity(memory), problems);
  const keys = readKeys(parse(keysFile, problems), now);
  if (problems.length > 0) throw new ConfigError(problems);
  const hash = createHash("sha256").update(configFile.bytes).update("\n").update(keysFile.bytes);
  return Object.freeze({ config, keys, hash: hash.digest("hex") });
}

/** The folders of all that `readConfig` reads. */
export function mountedFolders(environment: NodeJS.ProcessEnv): readonly string[] {
  const [config, keys] = [environment["STROWGER_CONFIG"] ?? "", environment["STROWGER_KEYS"] ?? ""];
  const mysql = parse(readFile("STROWGER_CONFIG", environment, []), []).in("mysql");
  return [
    ...new Set([
      dirname(config),
      dirname(keys),
      ...(mysql.has("credentialsDirectory") ? [mysql.text("credentialsDirectory")] : []),
    ]),
  ];
}

interface File {
  readonly what: string;
  readonly bytes: Buffer;
  /** False where it cannot be read, which is a problem already. */
  readonly isRead: boolean;
}

function readFile(
  variable: "STROWGER_CONFIG" | "STROWGER_KEYS",
  environment: NodeJS.ProcessEnv,
  problems: string[],
): File {
  const path = environment[variable];
  const what = `${variable}${path === undefined ? "" : ` (${path})`}`;
  try {
    if (path !== undefined) return { what, bytes: readFileSync(path), isRead: true };
    problems.push(`${variable} is not set: expected the path of a JSON file`);
  } catch (error) {
    problems.push(`${what}: ${messageOf(error)}`);
  }
  return { what, bytes: Buffer.alloc(0), isRead: false };
}

/** What only follows from a file that cannot be read or parsed is not told. */
function parse({ what, bytes, isRead }: File, problems: string[]): JsonReader {
  try {
    if (isRead) return new JsonReader(JSON.parse(bytes.toString("utf8")), what, problems);
  } catch (error) {
    problems.push(`${what}: ${messageOf(error)}`);
  }
  return new JsonReader({}, what, []);
}

function toConfig(
  file: JsonReader,
  environment: NodeJS.ProcessEnv,
  fitting: Capacity,
  problems: string[],
): Config {
  const sip = file.in("sip");
  const mysql = file.in("mysql");
  const credentials = mysql.has("credentialsDirectory")
    ? readCredentials(mysql.text("credentialsDirectory"), problems)
    : undefined;
  const listen = sip.address("listen");
  const hosts = mysql.addresses("hosts");
  if (hosts.length === 0) mysql.expected("hosts", "at least one host:port");
  const advertise = sip.address("advertise");
  return {
    name: readName(file, environment["STROWGER_NODE_NAME"]),
    sip: {
      listen,
      reusePort: sip.flag("reusePort"),
      advertise,
      locationSocket: locationSocket(advertise),
      former: sip.addresses("former"),
      direct: sip.has("direct") ? sip.address("direct") : { host: listen.host, port: 0 },
    },
    cluster: readCluster(file.in("cluster"), environment["STROWGER_POD_IP"], problems),
    http: file.in("http").address("listen"),
    control: readControl(file.in("control")),
    mysql: {
      hosts,
      user: credentials?.user ?? mysql.text("user"),
      password: credentials?.password ?? mysql.text("password", ""),
      database: mysql.text("database"),
      connections: mysql.number("connections", 8, 2),
      tls: mysql.has("tls")
        ? { ...(mysql.in("tls").has("ca") ? { ca: readCa(mysql.in("tls").text("ca"), problems) } : {}) }
        : undefined,
    },
    peers: file.ips("peers"),
    drainTimeout: file.in("drain").number("timeoutSeconds", 240, 0) * 1000,
    insideRanges: file.in("outside").ranges("ranges"),
    maxTransactions: file.in("limits").number("transactions", fitting.transactions, 1),
    maxFlows: fitting.flows,
    logLevel: file.in("log").oneOf("level", logLevels, "info"),
  };
}

/** The row in `strowger_node` has its name; one that does not fit there would keep the node from its peers. */
function readName(file: JsonReader, given: string | undefined): string {
  const name = given ?? file.text("name", "node");
  if (name.length > maxNodeName) file.expected("name", `at most ${maxNodeName} characters`);
  return name;
}

/** Whoever reaches it may stop the node, and nobody is asked for a name there. */
function readControl(control: JsonReader): HostPort {
  const address = control.address("listen", "127.0.0.1:8081");
  const { host } = address;
  const isLoopback = host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (host !== "" && !isLoopback) control.expected("listen", "a loopback address");
  return address;
}

/** In a pod its own address is known by the environment alone. */
function readCluster(cluster: JsonReader, podIp: string | undefined, problems: string[]): Config["cluster"] {
  const listen = cluster.address("listen");
  const advertise = cluster.has("advertise") ? cluster.address("advertise") : listen;
  if (hostPort(advertise.host, advertise.port).length > maxNodeAddress)
    cluster.expected("advertise", `at most ${maxNodeAddress} characters`);
  if (podIp === undefined) return { listen, advertise };
  if (isIP(podIp) === 0) problems.push(`STROWGER_POD_IP: expected an IP address, found "${podIp}"`);
  return { listen, advertise: { host: podIp, port: advertise.port } };
}

/** A mounted Secret: files `username` and `password`. */
function readCredentials(
  directory: string,
  problems: string[],
): { user: string; password: string } | undefined {
  try {
    const read = (file: string): string => readFileSync(`${directory}/${file}`, "utf8").trim();
    return { user: read("username"), password: read("password") };
  } catch (error) {
    problems.push(`mysql.credentialsDirectory: ${messageOf(error)}`);
    return undefined;
  }
}

function readCa(path: string, problems: string[]): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    problems.push(`mysql.tls.ca: ${messageOf(error)}`);
    return "";
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
