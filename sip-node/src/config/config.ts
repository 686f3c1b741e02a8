/** The configuration of a node after validation, with all defaults. */
import type { KeyRing } from "../auth/key-ring.ts";
import type { Ms } from "../wire/units.ts";
import type { AddressRange, HostPort } from "./addresses.ts";
import type { logLevels, udpEngines } from "./config-file.ts";

export interface Config {
  readonly name: string;
  readonly sip: {
    readonly listen: HostPort;
    /** Several nodes share the listening address, and each may send to every phone. */
    readonly reusePort: boolean;
    /** `auto`: `batched` where its addon was compiled, otherwise `dgram`. */
    readonly udpEngine: (typeof udpEngines)[number];
    /** Whether TCP is served, on the port of UDP. */
    readonly tcp: boolean;
    readonly advertise: HostPort;
    /** The advertised address for the column `location.socket`, without a transport; undefined if that column cannot hold it. */
    readonly locationSocket: string | undefined;
    /** Former advertised addresses that still count as ours. */
    readonly former: readonly HostPort[];
    /** The second socket, for phones whose owner node is gone. */
    readonly direct: HostPort;
  };
  readonly cluster: { readonly listen: HostPort; readonly advertise: HostPort };
  readonly http: HostPort;
  /** Accepts the order to drain; only this host may reach it. */
  readonly control: HostPort;
  readonly mysql: {
    readonly hosts: readonly HostPort[];
    readonly user: string;
    readonly password: string;
    readonly database: string;
    readonly connections: number;
    /** `ca`: PEM text. */
    readonly tls: { readonly ca?: string } | undefined;
  };
  /** IP addresses whose calls are trusted without a challenge. A REGISTER is always challenged. */
  readonly peers: readonly string[];
  /** The longest time that a drain may take. */
  readonly drainTimeout: Ms;
  /** Addresses of pods and Kubernetes nodes; all other phones count as outside. Empty: not known, and no phone counts as outside. */
  readonly insideRanges: readonly AddressRange[];
  readonly maxTransactions: number;
  readonly maxFlows: number;
  /** Requests per second from one source that has not authenticated. */
  readonly sourceLimits: { readonly register: number; readonly call: number; readonly other: number };
  readonly logLevel: (typeof logLevels)[number];
}

export interface Settings {
  readonly config: Config;
  readonly keys: KeyRing;
  /** Of both files: hexadecimal SHA-256 of the configuration's bytes, a line feed, the keys' bytes. */
  readonly hash: string;
}

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
