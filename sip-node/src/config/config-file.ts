/** The configuration file of a node: its schema, and its type after validation. A field that is null counts as absent. */
import type { SchemaObject } from "ajv";
import { maxNodeAddress, maxNodeName } from "../wire/limits.ts";
import { compileSchema, type Validate } from "./compile-schema.ts";

export const udpEngines = ["auto", "dgram", "batched"] as const;
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Addresses are `host:port`. */
export interface ConfigFile {
  readonly name: string;
  readonly sip: {
    readonly listen: string;
    readonly reusePort: boolean;
    readonly udpEngine: (typeof udpEngines)[number];
    /** Whether TCP is served, on the port of UDP. */
    readonly tcp: boolean;
    readonly advertise: string;
    readonly former: readonly string[];
    readonly direct?: string;
  };
  readonly cluster: { readonly listen: string; readonly advertise?: string };
  readonly http: { readonly listen: string };
  readonly control: { readonly listen: string };
  readonly mysql: {
    readonly hosts: readonly string[];
    /** Present unless `credentialsDirectory` is. */
    readonly user?: string;
    readonly password: string;
    /** A mounted Secret with the files `username` and `password`. */
    readonly credentialsDirectory?: string;
    readonly database: string;
    readonly connections: number;
    /** `ca`: the path of a PEM file. */
    readonly tls?: { readonly ca?: string };
  };
  readonly peers: readonly string[];
  readonly drain: { readonly timeoutSeconds: number };
  readonly outside: { readonly ranges: readonly string[] };
  readonly limits: {
    readonly transactions?: number;
    /** Requests per second from one address or IPv6 /64 network that has not authenticated. */
    readonly perSource: { readonly register: number; readonly call: number; readonly other: number };
  };
  readonly log: { readonly level: (typeof logLevels)[number] };
}

const text = { type: "string", description: "a text" };
const address = {
  type: "string",
  format: "host-port",
  description: "host:port, with brackets around an IPv6 address",
};
const loopback = {
  type: "string",
  format: "loopback-host-port",
  description: "a loopback address with a port",
};
const ip = { type: "string", format: "ip-address", description: "an IP address" };
const range = { type: "string", format: "ip-range", description: "a range of addresses as 10.0.0.0/8" };
const flag = { type: "boolean", description: "true or false" };

const wholeNumber = (minimum: number): SchemaObject => ({
  type: "integer",
  minimum,
  description: `a whole number of at least ${minimum}`,
});

const list = (items: SchemaObject): SchemaObject => ({ type: "array", items, description: "a list" });

const object = (
  properties: Readonly<Record<string, SchemaObject>>,
  required: string[] = [],
): SchemaObject => ({
  type: "object",
  properties,
  required,
  description: "an object",
});

/** A section may be left out. The problems of a section that needs fields then name these fields. */
const section = (properties: Readonly<Record<string, SchemaObject>>, required?: string[]): SchemaObject => ({
  ...object(properties, required),
  default: {},
});

const schema = object({
  name: { ...text, maxLength: maxNodeName, default: "node" },
  sip: section(
    {
      listen: address,
      reusePort: { ...flag, default: false },
      udpEngine: { enum: udpEngines, default: "auto", description: `one of ${udpEngines.join(", ")}` },
      tcp: { ...flag, default: false },
      advertise: address,
      former: { ...list(address), default: [] },
      direct: address,
    },
    ["listen", "advertise"],
  ),
  cluster: section({ listen: address, advertise: { ...address, maxLength: maxNodeAddress } }, ["listen"]),
  http: section({ listen: address }, ["listen"]),
  control: section({ listen: { ...loopback, default: "127.0.0.1:8081" } }),
  mysql: section(
    {
      hosts: {
        ...list(address),
        minItems: 1,
        default: [],
        description: "a list with at least one host:port",
      },
      user: text,
      password: { ...text, writeOnly: true, default: "" },
      credentialsDirectory: text,
      database: text,
      connections: { ...wholeNumber(2), default: 8 },
      tls: object({ ca: text }),
    },
    ["database"],
  ),
  peers: { ...list(ip), default: [] },
  drain: section({ timeoutSeconds: { ...wholeNumber(0), default: 240 } }),
  outside: section({ ranges: { ...list(range), default: [] } }),
  limits: section({
    transactions: wholeNumber(1),
    perSource: section({
      register: { ...wholeNumber(1), default: 200 },
      call: { ...wholeNumber(1), default: 100 },
      other: { ...wholeNumber(1), default: 200 },
    }),
  }),
  log: section({
    level: { enum: logLevels, default: "info", description: `one of ${logLevels.join(", ")}` },
  }),
});

export const validateConfigFile: Validate<ConfigFile> = compileSchema(schema);
