/** The operator's configuration: read once from the environment into a frozen value, with all problems in one report. */
import { parseDatabaseUrl, type DatabaseAddress } from "./adapters/mysql/database-url.ts";

export interface Config {
  /** Folder of YAML files. */
  readonly files: string;
  /** Folder for generated passwords. */
  readonly data: string;
  readonly database: DatabaseAddress;
  readonly http: { readonly host: string; readonly port: number };
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const logLevels = ["trace", "debug", "info", "warn", "error", "silent"];

/** A configuration, or everything that is wrong with the environment. Never holds the password in a problem. */
export function readConfig(environment: Environment): Config | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const required = (name: string, expected: string): string => {
    const value = environment[name] ?? "";
    if (value === "") problems.push(`${name} is not set; expected ${expected}`);
    return value;
  };
  const files = required("STROWGER_FILES", "the folder of YAML files");
  const data = required("STROWGER_DATA", "a folder for generated passwords");
  const url = required("STROWGER_MYSQL_URL", "mysql://user:password@host:port/database");
  const database = parseDatabaseUrl(url);
  if ("problem" in database && url !== "") problems.push(`STROWGER_MYSQL_URL ${database.problem}`);
  const http = parseListener(environment["STROWGER_HTTP"] ?? "127.0.0.1:8080");
  if (http === undefined) problems.push("STROWGER_HTTP is not address:port; expected such as 127.0.0.1:8080");
  const logLevel = environment["STROWGER_LOG_LEVEL"] ?? "info";
  if (!logLevels.includes(logLevel))
    problems.push(`STROWGER_LOG_LEVEL is ${logLevel}; expected ${logLevels.join(", ")}`);
  if (problems.length > 0 || "problem" in database || http === undefined) return { problems };
  return Object.freeze({ files, data, database, http, logLevel });
}

/** IPv6 in brackets; port 0 takes any that is free. */
function parseListener(text: string): Config["http"] | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  const host = found?.[1] ?? found?.[2];
  return host === undefined || port > 65_535 ? undefined : { host, port };
}
