/** The configuration of a node: its defaults, and one report of all problems. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { capacity } from "./capacity.ts";
import { ConfigError } from "./config.ts";
import { ownText } from "./own-value.ts";
import { mountedFolders, readConfig } from "./read-config.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "strowger-config-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const minimal = {
  sip: { listen: "0.0.0.0:5060", advertise: "203.0.113.1:5060" },
  cluster: { listen: "[2001:db8::1]:7000" },
  http: { listen: "127.0.0.1:9100" },
  mysql: { hosts: ["db.example:3306"], user: "node", database: "strowger" },
};
const keys = { keys: [{ id: 1, key: Buffer.alloc(32).toString("base64"), dropAfter: null }] };

const memory = 512 * 2 ** 20;

function read(config: unknown, ring: unknown = keys, environment: NodeJS.ProcessEnv = {}) {
  const files = { STROWGER_CONFIG: join(folder, "config.json"), STROWGER_KEYS: join(folder, "keys.json") };
  writeFileSync(files.STROWGER_CONFIG, typeof config === "string" ? config : JSON.stringify(config));
  writeFileSync(files.STROWGER_KEYS, JSON.stringify(ring));
  return readConfig({ ...files, ...environment }, 0, memory);
}
function problems(config: unknown, ring?: unknown): readonly string[] {
  try {
    read(config, ring);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((text) => text.replace(/\(.*?\)/, "(file)"));
    throw error;
  }
  return [];
}

it("defaults: a port of its own for phones whose owner node is gone, one cluster address, no peers", () => {
  const { config, keys: ring } = read(minimal);
  expect(config).toMatchObject({
    sip: {
      reusePort: false,
      udpEngine: "auto",
      tcp: false,
      former: [],
      direct: { host: "0.0.0.0", port: 0 },
    },
    cluster: { advertise: { host: "2001:db8::1", port: 7000 } },
    mysql: { password: "", connections: 8, tls: undefined },
    peers: [],
    logLevel: "info",
    control: { host: "127.0.0.1", port: 8081 },
    drainTimeout: 240_000,
    insideRanges: [],
    maxTransactions: 20_971,
    maxFlows: 89_478,
    sourceLimits: { register: 200, call: 100, other: 200 },
  });
  expect(ring).toMatchObject([{ id: "1", verifyFrom: 0, signFrom: 0, dropAfter: Number.POSITIVE_INFINITY }]);
});

it.each([
  ["203.0.113.1:5060", "203.0.113.1:5060"],
  ["[2001:db8::1]:5060", "[2001:db8::1]:5060"],
  [`${"h".repeat(55)}:5060`, `${"h".repeat(55)}:5060`],
  [`${"h".repeat(56)}:5060`, undefined],
  [`${"k8s-sip-udp-0123456789-0123456789abcdef.elb.eu-central-1.amazonaws.example"}:5060`, undefined],
])(
  "location.socket has 64 characters and contains the advertised address %s if it fits",
  (advertise, socket) => {
    const { config } = read({ ...minimal, sip: { ...minimal.sip, advertise } });
    expect(config.sip.locationSocket).toBe(socket);
  },
);

it("a name or an address that does not fit into the row in strowger_node is a problem", () => {
  const long = {
    ...minimal,
    name: "n".repeat(254),
    cluster: { ...minimal.cluster, advertise: `${"h".repeat(60)}:7000` },
  };
  expect(problems(long)).toEqual([
    "STROWGER_CONFIG (file).name: expected at most 253 characters; found 254",
    "STROWGER_CONFIG (file).cluster.advertise: expected at most 64 characters; found 65",
  ]);
  expect(
    problems({
      ...long,
      name: "n".repeat(253),
      cluster: { ...minimal.cluster, advertise: `${"h".repeat(59)}:7000` },
    }),
  ).toEqual([]);
});

it("the limits of transactions and flows follow from the memory, up to a maximum", () => {
  expect(capacity(256 * 2 ** 20)).toEqual({ transactions: 10_485, flows: 44_739 });
  expect(capacity(Number.POSITIVE_INFINITY)).toEqual({ transactions: 200_000, flows: 500_000 });
  expect(read({ ...minimal, limits: { transactions: 30_000 } }).config.maxTransactions).toBe(30_000);
});

it("the timeout of a drain is in seconds in the file", () => {
  expect(read({ ...minimal, drain: { timeoutSeconds: 60 } }).config.drainTimeout).toBe(60_000);
});

it("credentials come from a mounted Secret, without the line end that editors add", () => {
  writeFileSync(join(folder, "username"), "node\n");
  writeFileSync(join(folder, "password"), "secret\n");
  const { config } = read({ ...minimal, mysql: { ...minimal.mysql, credentialsDirectory: folder } });
  expect(config.mysql).toMatchObject({ user: "node", password: "secret" });
});

it("peers are written in the form that sockets report", () => {
  const { config } = read({ ...minimal, peers: ["192.0.2.1", "2001:DB8:0:0::1"] });
  expect(config.peers).toEqual(["192.0.2.1", "2001:db8::1"]);
});

it("all problems of both files are one report: the path, what was expected, and the value", () => {
  const config = {
    ...minimal,
    sip: { listen: "here", advertise: 5060 },
    http: { address: "127.0.0.1:80" },
    mysql: { hosts: [], database: "strowger", connections: 1, credentialsDirectory: "/nowhere" },
    peers: ["192.0.2.1", "trunk.example", 7],
    drain: "soon",
    log: { level: "loud" },
  };
  expect(problems(config, { keys: [{ id: "a b", key: "c2hvcnQ=" }] })).toEqual([
    'STROWGER_CONFIG (file).sip.listen: expected host:port, with brackets around an IPv6 address; found "here"',
    "STROWGER_CONFIG (file).sip.advertise: expected host:port, with brackets around an IPv6 address; found 5060",
    "STROWGER_CONFIG (file).http.listen: expected host:port, with brackets around an IPv6 address; found nothing",
    "STROWGER_CONFIG (file).mysql.hosts: expected a list with at least one host:port; found an empty list",
    "STROWGER_CONFIG (file).mysql.connections: expected a whole number of at least 2; found 1",
    'STROWGER_CONFIG (file).peers[1]: expected an IP address; found "trunk.example"',
    "STROWGER_CONFIG (file).peers[2]: expected an IP address; found 7",
    'STROWGER_CONFIG (file).drain: expected an object; found "soon"',
    'STROWGER_CONFIG (file).log.level: expected one of trace, debug, info, warn, error, fatal, silent; found "loud"',
    "STROWGER_CONFIG (file).mysql.credentialsDirectory: ENOENT: no such file or directory, open '/nowhere/username'",
    'STROWGER_KEYS (file).keys[0].id: expected 1 to 32 letters, digits, "-" or "_"; found "a b"',
    "STROWGER_KEYS (file).keys[0].key: expected at least 32 bytes in base64; found another value",
  ]);
});

it("without a user's name, in the file or in a mounted Secret, MySQL cannot be used", () => {
  const mysql = { ...minimal.mysql, user: undefined };
  expect(problems({ ...minimal, mysql })).toEqual([
    "STROWGER_CONFIG (file).mysql.user: expected a text, or mysql.credentialsDirectory; found nothing",
  ]);
});

it("no problem quotes a secret", () => {
  const hidden = 12_345;
  const found = problems(
    { ...minimal, mysql: { ...minimal.mysql, password: hidden } },
    { keys: [{ id: 1, key: hidden }] },
  );
  expect(found).toEqual([
    "STROWGER_CONFIG (file).mysql.password: expected a text; found another value",
    "STROWGER_KEYS (file).keys[0].key: expected at least 32 bytes in base64; found another value",
  ]);
});

it("a field that is null, or that this version does not know, changes nothing", () => {
  const { config } = read(minimal);
  const nulls = {
    ...minimal,
    peers: null,
    drain: null,
    mysql: { ...minimal.mysql, tls: null, password: null },
  };
  expect(read(nulls).config).toEqual(config);
  expect(read({ ...minimal, later: 1, sip: { ...minimal.sip, later: {} } }).config).toEqual(config);
});

it("a file that holds no object is one problem of its own", () => {
  for (const [file, found] of [
    ["null", "nothing"],
    ["[1]", "a list"],
    ["7", "7"],
  ] as const)
    expect(problems(file)).toContainEqual(`STROWGER_CONFIG (file): expected an object; found ${found}`);
});

it("a field that is inherited does not count", () => {
  const text = JSON.stringify(minimal).replace(
    "{",
    '{ "__proto__": { "name": "x", "peers": ["192.0.2.1"] },',
  );
  expect(read(text).config).toMatchObject({ name: "node", peers: [] });
  expect(ownText({ mysql: {} }, ["mysql", "constructor", "name"])).toBeUndefined();
});

it("no file, no JSON, no key: one problem each, without its consequences", () => {
  expect(() => readConfig({}, 0, memory)).toThrow(/STROWGER_CONFIG is not set.*\n.*STROWGER_KEYS is not set/);
  for (const half of ["", "{"]) expect(problems(half)).toHaveLength(1); // half written
  expect(problems(minimal, { keys: [] })).toEqual([
    "STROWGER_KEYS (file).keys: expected at least one key; found an empty list",
  ]);
});

it("in a pod the name and the address come from the environment, and the port from the file", () => {
  const { config } = read(minimal, keys, {
    STROWGER_NODE_NAME: "voice-nodes-1",
    STROWGER_POD_IP: "10.244.1.7",
  });
  expect([config.name, config.cluster.advertise, config.cluster.listen]).toEqual([
    "voice-nodes-1",
    { host: "10.244.1.7", port: 7000 },
    { host: "2001:db8::1", port: 7000 },
  ]);
  expect(() => read(minimal, keys, { STROWGER_POD_IP: "pod" })).toThrow(
    'STROWGER_POD_IP: expected an IP address; found "pod"',
  );
});

it("inside ranges are IPv4 or IPv6; other text is a problem", () => {
  const { config } = read({ ...minimal, outside: { ranges: ["10.0.0.0/8", "fd00::/8"] } });
  expect(config.insideRanges).toEqual([
    { address: "10.0.0.0", prefix: 8, family: "ipv4" },
    { address: "fd00::", prefix: 8, family: "ipv6" },
  ]);
  expect(problems({ ...minimal, outside: { ranges: ["10.0.0.0", "10.0.0.0/33", 7, "x/8"] } })).toHaveLength(
    4,
  );
});

it("the hash is computed from the bytes of both files, as in the operator", () => {
  const { hash } = read(minimal);
  const bytes = `${JSON.stringify(minimal)}\n${JSON.stringify(keys)}`;
  expect(hash).toBe(createHash("sha256").update(bytes).digest("hex"));
});

it("a ring without a key that may sign now is refused", () => {
  const later = { keys: [{ ...keys.keys[0], signFrom: 1 }] };
  expect(problems(minimal, later)).toEqual(["STROWGER_KEYS (file).keys: expected a key that may sign now"]);
});

it("the watched folders are those of all files that are read", () => {
  const config = { ...minimal, mysql: { ...minimal.mysql, credentialsDirectory: "/etc/mysql-secret" } };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const files = { STROWGER_CONFIG: join(folder, "config.json"), STROWGER_KEYS: "/etc/keys/keys.json" };
  expect(mountedFolders(files)).toEqual([folder, "/etc/keys", "/etc/mysql-secret"]);
});

it("the control port must be on loopback", () => {
  for (const listen of ["0.0.0.0:8081", "127.example.com:8081"]) // a name can resolve to any address
    expect(problems({ ...minimal, control: { listen } })).toEqual([
      `STROWGER_CONFIG (file).control.listen: expected a loopback address with a port; found "${listen}"`,
    ]);
  expect(problems({ ...minimal, control: { listen: "[::1]:8081" } })).toEqual([]);
});
