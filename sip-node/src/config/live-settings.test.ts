/** Settings that change while a node runs: applied, refused, or waiting for a restart; the observer is notified once of each change. */
import { beforeEach, expect, it } from "vitest";
import { type Config, ConfigError, type Settings } from "./config.ts";
import { LiveSettings } from "./live-settings.ts";

const config: Config = {
  name: "node",
  sip: {
    listen: { host: "0.0.0.0", port: 5060 },
    reusePort: false,
    udpEngine: "auto",
    tcp: false,
    advertise: { host: "203.0.113.1", port: 5060 },
    locationSocket: undefined,
    former: [],
    direct: { host: "0.0.0.0", port: 5062 },
  },
  cluster: { listen: { host: "0.0.0.0", port: 7060 }, advertise: { host: "10.0.0.1", port: 7060 } },
  http: { host: "0.0.0.0", port: 8080 },
  control: { host: "127.0.0.1", port: 8081 },
  mysql: {
    hosts: [{ host: "db", port: 3306 }],
    user: "node",
    password: "x",
    database: "opensips",
    connections: 8,
    tls: undefined,
  },
  peers: [],
  drainTimeout: 240_000,
  insideRanges: [],
  maxTransactions: 1000,
  maxFlows: 1000,
  sourceLimits: { register: 200, call: 100, other: 200 },
  logLevel: "info",
};
const initial: Settings = { config, keys: [], hash: "initial" };

let mounted: Settings | ConfigError;
let calls: string[];
let live: LiveSettings;
beforeEach(() => {
  [mounted, calls] = [initial, []];
  live = new LiveSettings(initial, {
    read() {
      if (mounted instanceof ConfigError) throw mounted;
      return mounted;
    },
    apply: ({ hash }) => calls.push(`apply ${hash}`),
    observer: {
      refused: (problems) => calls.push(`refused ${problems.join(", ")}`),
      applied: ({ hash }, restarts) => calls.push(`applied ${hash}; restarts: ${restarts.join(", ")}`),
    },
  });
});

/** Reads the files twice: nothing is notified twice. */
function rereadTwice(next: Settings | ConfigError): string[] {
  mounted = next;
  live.reread();
  live.reread();
  return calls.splice(0);
}

it("files with the same content change nothing", () => {
  expect(rereadTwice({ ...initial, config: structuredClone(config) })).toEqual([]);
});

it("a setting that can change comes into force, and the hash changes with it", () => {
  const next = { ...initial, config: { ...config, drainTimeout: 1_000, peers: ["192.0.2.1"] }, hash: "next" };
  expect(rereadTwice(next)).toEqual(["apply next", "applied next; restarts: "]);
  expect([live.hash, live.config.drainTimeout]).toEqual(["next", 1_000]);
});

it("new credentials come into force, although the hash of the files does not change", () => {
  const mysql = { ...config.mysql, password: "y" };
  expect(rereadTwice({ ...initial, config: { ...config, mysql } })).toEqual([
    "apply initial",
    "applied initial; restarts: ",
  ]);
});

it("a setting that needs a restart is named until the files have its initial value again", () => {
  const next = {
    ...initial,
    config: { ...config, http: { host: "0.0.0.0", port: 9 }, name: "other", logLevel: "warn" as const },
    hash: "next",
  };
  expect(rereadTwice(next)).toEqual(["apply next", "applied next; restarts: name, http.listen"]);
  expect(live.report.restarts).toEqual(["name", "http.listen"]);
  expect(rereadTwice({ ...initial, hash: "back" })).toEqual(["apply back", "applied back; restarts: "]);
});

it("files with problems change nothing until they are valid again", () => {
  expect(rereadTwice(new ConfigError(["a", "b"]))).toEqual(["refused a, b"]);
  expect([live.hash, live.config, live.report.problems]).toEqual(["initial", config, ["a", "b"]]);
  expect(rereadTwice(new ConfigError(["a"]))).toEqual(["refused a"]);
  expect(rereadTwice(initial)).toEqual(["applied initial; restarts: "]);
  expect(live.report.problems).toEqual([]);
});

it("an internal error is no problem of the files", () => {
  live = new LiveSettings(initial, {
    read: () => {
      throw new TypeError("internal");
    },
    apply: () => {},
    observer: { refused: () => {}, applied: () => {} },
  });
  expect(() => live.reread()).toThrow(TypeError);
});
