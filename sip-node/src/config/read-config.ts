/**
 * Reads the configuration of a node: a mounted JSON file, a mounted key file, the mounted files that the configuration names, and the
 * environment of a pod. It is read at start and whenever the files change. One report has all problems.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { KeyRing } from "../auth/key-ring.ts";
import type { Epoch } from "../wire/units.ts";
import { buildConfig, type MountedSecrets, readPodEnvironment } from "./build-config.ts";
import { capacity } from "./capacity.ts";
import { type Config, ConfigError, type Settings } from "./config.ts";
import { validateConfigFile } from "./config-file.ts";
import { buildKeyRing, checkSigningKey, validateKeyFile } from "./key-file.ts";
import { ownText, ownValue } from "./own-value.ts";

/**
 * Reads the files that STROWGER_CONFIG and STROWGER_KEYS name; `memory` is how many bytes the process may use. Throws `ConfigError` with
 * every problem of both.
 */
export function readConfig(environment: NodeJS.ProcessEnv, now: Epoch, memory: number): Settings {
  const problems: string[] = [];
  const configFile = readJson("STROWGER_CONFIG", environment, problems);
  const keyFile = readJson("STROWGER_KEYS", environment, problems);
  const config = toConfig(configFile, environment, memory, problems);
  const keys = toKeyRing(keyFile, now, problems);
  if (config === undefined || keys === undefined || problems.length > 0) throw new ConfigError(problems);
  const hash = createHash("sha256").update(configFile.bytes).update("\n").update(keyFile.bytes);
  return Object.freeze({ config, keys, hash: hash.digest("hex") });
}

/** The folders of all files that `readConfig` reads. */
export function mountedFolders(environment: NodeJS.ProcessEnv): readonly string[] {
  const files = [environment["STROWGER_CONFIG"] ?? "", environment["STROWGER_KEYS"] ?? ""];
  const { json } = readJson("STROWGER_CONFIG", environment, []);
  const credentials = ownText(json, ["mysql", "credentialsDirectory"]);
  return [...new Set([...files.map(dirname), ...(credentials === undefined ? [] : [credentials])])];
}

interface JsonFile {
  /** The variable and the path, for problems. */
  readonly what: string;
  readonly bytes: Buffer;
  /** Undefined if the file cannot be read or parsed, which is a problem already. */
  readonly json: unknown;
}

function readJson(
  variable: "STROWGER_CONFIG" | "STROWGER_KEYS",
  environment: NodeJS.ProcessEnv,
  problems: string[],
): JsonFile {
  const path = environment[variable];
  const what = `${variable}${path === undefined ? "" : ` (${path})`}`;
  try {
    if (path === undefined) problems.push(`${variable} is not set: expected the path of a JSON file`);
    else {
      const bytes = readFileSync(path);
      const json: unknown = JSON.parse(bytes.toString("utf8"), withoutNull);
      return { what, bytes, json: json ?? null };
    }
  } catch (error) {
    problems.push(`${what}: ${messageOf(error)}`);
  }
  return { what, bytes: Buffer.alloc(0), json: undefined };
}

/** `JSON.parse` removes a field whose value becomes undefined. */
const withoutNull = (_key: string, value: unknown): unknown => (value === null ? undefined : value);

function toConfig(
  { json, what }: JsonFile,
  environment: NodeJS.ProcessEnv,
  memory: number,
  problems: string[],
): Config | undefined {
  const pod = readPodEnvironment(environment, problems);
  if (json === undefined) return undefined;
  const file = validateConfigFile(json, what, problems);
  checkLogin(json, what, problems);
  const secrets = readSecrets(json, what, problems);
  return file === undefined ? undefined : buildConfig(file, pod, secrets, capacity(memory));
}

function toKeyRing({ json, what }: JsonFile, now: Epoch, problems: string[]): KeyRing | undefined {
  if (json === undefined) return undefined;
  const file = validateKeyFile(json, what, problems);
  if (file === undefined) return undefined;
  const ring = buildKeyRing(file);
  checkSigningKey(ring, now, what, problems);
  return ring;
}

/** The user's name is in the configuration or in a mounted Secret. */
function checkLogin(json: unknown, what: string, problems: string[]): void {
  const isNamed = ["user", "credentialsDirectory"].some(
    (field) => ownValue(json, ["mysql", field]) !== undefined,
  );
  if (!isNamed)
    problems.push(`${what}.mysql.user: expected a text, or mysql.credentialsDirectory; found nothing`);
}

function readSecrets(json: unknown, what: string, problems: string[]): MountedSecrets {
  const read = <Content>(field: string, readFiles: (path: string) => Content): Content | undefined => {
    const path = ownText(json, field.split("."));
    try {
      return path === undefined ? undefined : readFiles(path);
    } catch (error) {
      problems.push(`${what}.${field}: ${messageOf(error)}`);
      return undefined;
    }
  };
  return {
    credentials: read("mysql.credentialsDirectory", (directory) => ({
      user: readFileSync(`${directory}/username`, "utf8").trim(),
      password: readFileSync(`${directory}/password`, "utf8").trim(),
    })),
    ca: read("mysql.tls.ca", (file) => readFileSync(file, "utf8")),
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
