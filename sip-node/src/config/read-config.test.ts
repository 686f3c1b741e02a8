/** The node's configuration: what is filled in, and that every problem is told at once. */
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

const least = {
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

it("what may be left out has defaults: an own port for phones without an owner, one cluster address, no peers", () => {
  const { config, keys: ring } = read(least);
  expect(config).toMatchObject({
    sip: { reusePort: false, former: [], direct: { host: "0.0.0.0", port: 0 } },
    cluster: { advertise: { host: "2001:db8::1", port: 7000 } },
    mysql: { password: "", connections: 8, tls: undefined },
    peers: [],
    logLevel: "info",
    control: { host: "127.0.0.1", port: 8081 },
    drainTimeout: 240_000,
    insideRanges: [],
    maxTransactions: 20_971,
    maxFlows: 89_478,
  });
  expect(ring).toMatchObject([{ id: "1", verifyFrom: 0, signFrom: 0, dropAfter: Number.POSITIVE_INFINITY }]);
});

it.each([
  ["203.0.113.1:5060", "udp:203.0.113.1:5060"],
  ["[2001:db8::1]:5060", "udp:[2001:db8::1]:5060"],
  [`${"h".repeat(55)}:5060`, `udp:${"h".repeat(55)}:5060`],
  [`${"h".repeat(56)}:5060`, undefined],
  [`${"k8s-sip-udp-0123456789-0123456789abcdef.elb.eu-central-1.amazonaws.example"}:5060`, undefined],
])(
  "location.socket, of 64 characters, names the advertised address %s where it fits",
  (advertise, socket) => {
    const { config } = read({ ...least, sip: { ...least.sip, advertise } });
    expect(config.sip.locationSocket).toBe(socket);
  },
);

it("what does not fit into this node's row in strowger_node is a problem", () => {
  const long = {
    ...least,
    name: "n".repeat(254),
    cluster: { ...least.cluster, advertise: `${"h".repeat(60)}:7000` },
  };
  expect(problems(long)).toEqual([
    "STROWGER_CONFIG (file).name: expected at most 253 characters; found 254",
    "STROWGER_CONFIG (file).cluster.advertise: expected at most 64 characters; found 65",
  ]);
  expect(
    problems({
      ...long,
      name: "n".repeat(253),
      cluster: { ...least.cluster, advertise: `${"h".repeat(59)}:7000` },
    }),
  ).toEqual([]);
});

it("transactions and flows are as many as fit into the memory, and never more than their bounds", () => {
  expect(capacity(256 * 2 ** 20)).toEqual({ transactions: 10_485, flows: 44_739 });
  expect(capacity(Number.POSITIVE_INFINITY)).toEqual({ transactions: 200_000, flows: 500_000 });
  expect(read({ ...least, limits: { transactions: 30_000 } }).config.maxTransactions).toBe(30_000);
});

it("the bound of a drain is read in seconds", () => {
  expect(read({ ...least, drain: { timeoutSeconds: 60 } }).config.drainTimeout).toBe(60_000);
});

it("credentials come from a mounted Secret, without the line end that editors add", () => {
  writeFileSync(join(folder, "username"), "node\n");
  writeFileSync(join(folder, "password"), "secret\n");
  const { config } = read({ ...least, mysql: { ...least.mysql, credentialsDirectory: folder } });
  expect(config.mysql).toMatchObject({ user: "node", password: "secret" });
});

it("peers are spelt as sockets spell them", () => {
  const { config } = read({ ...least, peers: ["192.0.2.1", "2001:DB8:0:0::1"] });
  expect(config.peers).toEqual(["192.0.2.1", "2001:db8::1"]);
});

it("all problems of both files are one report: the path, what was expected, and the value", () => {
  const config = {
    ...least,
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
  const mysql = { ...least.mysql, user: undefined };
  expect(problems({ ...least, mysql })).toEqual([
    "STROWGER_CONFIG (file).mysql.user: expected a text, or mysql.credentialsDirectory; found nothing",
  ]);
});

it("no problem quotes a secret", () => {
  const hidden = 12_345;
  const found = problems(
    { ...least, mysql: { ...least.mysql, password: hidden } },
    { keys: [{ id: 1, key: hidden }] },
  );
  expect(found).toEqual([
    "STROWGER_CONFIG (file).mysql.password: expected a text; found another value",
    "STROWGER_KEYS (file).keys[0].key: expected at least 32 bytes in base64; found another value",
  ]);
});

it("a field that is null, or that this version does not know, changes nothing", () => {
  const { config } = read(least);
  const nulls = { ...least, peers: null, drain: null, mysql: { ...least.mysql, tls: null, password: null } };
  expect(read(nulls).config).toEqual(config);
  expect(read({ ...least, later: 1, sip: { ...least.sip, later: {} } }).config).toEqual(config);
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
  const text = JSON.stringify(least).replace("{", '{ "__proto__": { "name": "x", "peers": ["192.0.2.1"] },');
  expect(read(text).config).toMatchObject({ name: "node", peers: [] });
  expect(ownText({ mysql: {} }, ["mysql", "constructor", "name"])).toBeUndefined();
});

it("no file, no JSON, no ring: a problem each, and nothing that only follows from it", () => {
  expect(() => readConfig({}, 0, memory)).toThrow(/STROWGER_CONFIG is not set.*\n.*STROWGER_KEYS is not set/);
  for (const half of ["", "{"]) expect(problems(half)).toHaveLength(1); // somebody is writing it
  expect(problems(least, { keys: [] })).toEqual([
    "STROWGER_KEYS (file).keys: expected at least one key; found an empty list",
  ]);
});

it("in a pod the environment says its name and address; the port is the file's", () => {
  const { config } = read(least, keys, {
    STROWGER_NODE_NAME: "voice-nodes-1",
    STROWGER_POD_IP: "10.244.1.7",
  });
  expect([config.name, config.cluster.advertise, config.cluster.listen]).toEqual([
    "voice-nodes-1",
    { host: "10.244.1.7", port: 7000 },
    { host: "2001:db8::1", port: 7000 },
  ]);
  expect(() => read(least, keys, { STROWGER_POD_IP: "pod" })).toThrow(
    'STROWGER_POD_IP: expected an IP address; found "pod"',
  );
});

it("ranges of addresses inside, of either family; what is none is told", () => {
  const { config } = read({ ...least, outside: { ranges: ["10.0.0.0/8", "fd00::/8"] } });
  expect(config.insideRanges).toEqual([
    { address: "10.0.0.0", prefix: 8, family: "ipv4" },
    { address: "fd00::", prefix: 8, family: "ipv6" },
  ]);
  expect(problems({ ...least, outside: { ranges: ["10.0.0.0", "10.0.0.0/33", 7, "x/8"] } })).toHaveLength(4);
});

it("the hash is of the bytes of both files, as the operator computes it", () => {
  const { hash } = read(least);
  const bytes = `${JSON.stringify(least)}\n${JSON.stringify(keys)}`;
  expect(hash).toBe(createHash("sha256").update(bytes).digest("hex"));
});

it("a ring without a key that may sign now is refused", () => {
  const later = { keys: [{ ...keys.keys[0], signFrom: 1 }] };
  expect(problems(least, later)).toEqual(["STROWGER_KEYS (file).keys: expected a key that may sign now"]);
});

it("the folders to be watched are those of all files that are read", () => {
  const config = { ...least, mysql: { ...least.mysql, credentialsDirectory: "/etc/mysql-secret" } };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const files = { STROWGER_CONFIG: join(folder, "config.json"), STROWGER_KEYS: "/etc/keys/keys.json" };
  expect(mountedFolders(files)).toEqual([folder, "/etc/keys", "/etc/mysql-secret"]);
});

it("the control port is on loopback or nowhere", () => {
  for (const listen of ["0.0.0.0:8081", "127.example.com:8081"]) // a name may lead anywhere
    expect(problems({ ...least, control: { listen } })).toEqual([
      `STROWGER_CONFIG (file).control.listen: expected a loopback address with a port; found "${listen}"`,
    ]);
  expect(problems({ ...least, control: { listen: "[::1]:8081" } })).toEqual([]);
});
