/**
 * The node's configuration: a mounted JSON file and a mounted key ring, read in one place into frozen values. All problems are told
 * in one report.
 */
import { readFileSync } from "node:fs";
import { isIP, SocketAddress } from "node:net";
import type { KeyRing } from "./auth/key-ring.ts";
import { parseHostPort } from "./wire/uri.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface Config {
  readonly name: string;
  readonly sip: {
    readonly listen: HostPort;
    /** Several nodes share the listening address, and each may send to every phone. */
    readonly reusePort: boolean;
    readonly advertise: HostPort;
    /** Former advertised addresses that still count as ours. */
    readonly former: readonly HostPort[];
    /** The second socket, for phones whose owner is gone. */
    readonly direct: HostPort;
  };
  readonly cluster: { readonly listen: HostPort; readonly advertise: HostPort };
  readonly http: HostPort;
  readonly mysql: {
    readonly hosts: readonly HostPort[];
    readonly user: string;
    readonly password: string;
    readonly database: string;
    readonly connections: number;
    readonly tls: { readonly ca?: string } | undefined;
  };
  /** IP addresses that are trusted without a challenge. */
  readonly peers: readonly string[];
  readonly logLevel: (typeof logLevels)[number];
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

/** Reads the files that STROWGER_CONFIG and STROWGER_KEYS name. Throws `ConfigError` with every problem of both. */
export function readConfig(environment: NodeJS.ProcessEnv): {
  readonly config: Config;
  readonly keys: KeyRing;
} {
  const problems: string[] = [];
  const config = toConfig(readJson("STROWGER_CONFIG", environment, problems), problems);
  const keys = toKeys(readJson("STROWGER_KEYS", environment, problems), problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ config, keys });
}

function readJson(variable: string, environment: NodeJS.ProcessEnv, problems: string[]): Reader {
  const path = environment[variable];
  const what = `${variable}${path === undefined ? "" : ` (${path})`}`;
  if (path === undefined) problems.push(`${variable} is not set: expected the path of a JSON file`);
  let value: unknown;
  try {
    if (path !== undefined) value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return new Reader(value ?? {}, what, path === undefined || value === undefined ? [] : problems);
}

/** Reads fields of a JSON value and notes what is not as expected. */
class Reader {
  private readonly value: Readonly<Record<string, unknown>>;
  private readonly path: string;
  readonly problems: string[];

  constructor(value: unknown, path: string, problems: string[]) {
    this.path = path;
    this.problems = problems;
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      this.value = value as Record<string, unknown>;
    else {
      this.value = {};
      this.expected("", "an object");
    }
  }

  in(field: string): Reader {
    return new Reader(this.value[field] ?? {}, `${this.path}.${field}`, this.problems);
  }

  text(field: string, fallback?: string): string {
    const value = this.value[field] ?? fallback;
    if (typeof value === "string") return value;
    return this.expected(field, "a text") ?? "";
  }

  number(field: string, fallback: number, least: number): number {
    const value = this.value[field] ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
    return this.expected(field, `a whole number of at least ${least}`) ?? fallback;
  }

  flag(field: string): boolean {
    const value = this.value[field] ?? false;
    if (typeof value === "boolean") return value;
    return this.expected(field, "true or false") ?? false;
  }

  address(field: string, fallback?: string): HostPort {
    return this.asAddress(field, this.text(field, fallback));
  }

  list(field: string): readonly unknown[] {
    const value = this.value[field] ?? [];
    if (Array.isArray(value)) return value;
    return this.expected(field, "a list") ?? [];
  }

  addresses(field: string): readonly HostPort[] {
    return this.list(field).map((item, i) =>
      this.asAddress(`${field}[${i}]`, typeof item === "string" ? item : ""),
    );
  }

  /** Spelt as sockets spell them, because they are compared as text. */
  ips(field: string): readonly string[] {
    return this.list(field).map((item, i) => {
      const family = typeof item === "string" ? isIP(item) : 0;
      if (typeof item !== "string" || family === 0)
        return this.expected(`${field}[${i}]`, "an IP address") ?? "";
      return family === 4 ? item : new SocketAddress({ address: item, family: "ipv6" }).address;
    });
  }

  oneOf<Choice extends string>(field: string, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(field, fallback);
    return choices.find((choice) => choice === text) ?? this.expected(field, choices.join(", ")) ?? fallback;
  }

  has(field: string): boolean {
    return this.value[field] !== undefined && this.value[field] !== null;
  }

  expected(field: string, what: string): undefined {
    this.problems.push(`${this.path}${field === "" ? "" : `.${field}`}: expected ${what}`);
    return undefined;
  }

  private asAddress(field: string, text: string): HostPort {
    const zero = text.endsWith(":0");
    const found = parseHostPort(zero ? `${text.slice(0, -1)}1` : text);
    if (found?.port !== undefined) return { host: found.host, port: zero ? 0 : found.port };
    return this.expected(field, "host:port, with brackets around an IPv6 address") ?? { host: "", port: 0 };
  }
}

function toConfig(file: Reader, problems: string[]): Config {
  const sip = file.in("sip");
  const cluster = file.in("cluster");
  const mysql = file.in("mysql");
  const credentials = mysql.has("credentialsDirectory")
    ? readCredentials(mysql.text("credentialsDirectory"), problems)
    : undefined;
  const listen = sip.address("listen");
  const clusterListen = cluster.address("listen");
  const hosts = mysql.addresses("hosts");
  if (hosts.length === 0) mysql.expected("hosts", "at least one host:port");
  return {
    name: file.text("name", "node"),
    sip: {
      listen,
      reusePort: sip.flag("reusePort"),
      advertise: sip.address("advertise"),
      former: sip.addresses("former"),
      direct: sip.has("direct") ? sip.address("direct") : { host: listen.host, port: 0 },
    },
    cluster: {
      listen: clusterListen,
      advertise: cluster.has("advertise") ? cluster.address("advertise") : clusterListen,
    },
    http: file.in("http").address("listen"),
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
    logLevel: file.in("log").oneOf("level", logLevels, "info"),
  };
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
    problems.push(`mysql.credentialsDirectory: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function readCa(path: string, problems: string[]): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    problems.push(`mysql.tls.ca: ${error instanceof Error ? error.message : String(error)}`);
    return "";
  }
}

function toKeys(file: Reader, problems: string[]): KeyRing {
  const keys = file.list("keys").map((item, i) => {
    const entry = new Reader(item, `keys[${i}]`, problems);
    const id = entry.has("id") ? String((item as { id: unknown }).id) : "";
    if (!/^[\w-]{1,32}$/.test(id)) entry.expected("id", '1 to 32 letters, digits, "-" or "_"');
    const key = Buffer.from(entry.text("key"), "base64");
    if (key.length < 32) entry.expected("key", "at least 32 bytes in base64");
    const dropAfter = entry.has("dropAfter") ? entry.number("dropAfter", 0, 0) : Number.POSITIVE_INFINITY;
    return {
      id,
      key,
      verifyFrom: entry.number("verifyFrom", 0, 0),
      signFrom: entry.number("signFrom", 0, 0),
      dropAfter,
    };
  });
  if (keys.length === 0) file.expected("keys", "at least one key");
  return keys;
}
