/** One SipCluster's database with a database that answers from memory; real ones: test/parts/operator/installations.test.ts. */
import { expect, test } from "vitest";
import { DatabaseUnavailable } from "../adapters/mysql/database-unavailable.ts";
import type { Installation } from "../adapters/mysql/installation.ts";
import type { MigrationReport } from "../adapters/mysql/migrate.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { ClusterDatabase } from "./cluster-database.ts";
import type { DatabaseAccess } from "./database-access.ts";

const unavailable = new DatabaseUnavailable(new Error("no answer"));
const tableMissing = Object.assign(new Error("no such table"), { errno: 1146 });

/** A database that this process leads, unless the test says otherwise. */
class FakeAccess implements DatabaseAccess {
  readonly requests: string[];
  readonly host: string;
  epoch: number | undefined = 1;
  openFailure: Error | undefined;
  held: Promise<void> = Promise.resolve();
  heartbeatResult: boolean | Error = true;
  isLost = false;
  isAnother = false;
  isTaken = false;
  isDown = false;
  leaderAge = 0;
  written = 0;

  constructor(host: string, requests: string[]) {
    this.host = host;
    this.requests = requests;
  }

  isUnreachable = (): boolean => this.isDown;
  async open() {
    this.requests.push(`open ${this.host}`);
    await this.held;
    if (this.openFailure !== undefined) throw this.openFailure;
    const write = (): Promise<void> => Promise.resolve(void (this.written += 1));
    const installation = { id: "id", epoch: this.epoch, write } as unknown as Installation;
    return this.epoch === undefined ? { installation } : { installation, report: {} as MigrationReport };
  }
  writeHeartbeat(): Promise<boolean> {
    const result = this.heartbeatResult;
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  }
  resign = (): Promise<void> => Promise.resolve(void this.requests.push(`resign ${this.host}`));
  readHeartbeat = () => Promise.resolve({ leader: "other", age: this.leaderAge });
  areTablesLost = () => Promise.resolve(this.isLost);
  isAnotherDatabase = () => Promise.resolve(this.isAnother);
  belongsToAnother = () => Promise.resolve(this.isTaken);
  cluster = () => Promise.resolve({ namespace: "ns", name: "c", uid: "uid" });
  close = (): Promise<void> => Promise.resolve(void this.requests.push(`close ${this.host}`));
}

const clusterOf = (host: string, generation: number, annotations = {}): KubernetesObject => ({
  kind: "SipCluster",
  metadata: { namespace: "ns", name: "c", uid: "uid", generation, annotations },
  spec: { mysql: { hosts: [host], port: 3306, database: "sip", credentialsSecretRef: { name: "login" } } },
});

function makeDatabase() {
  const clock = new VirtualClock();
  const requests: string[] = [];
  const reported: string[] = [];
  const accesses = new Map(["one", "two"].map((host) => [host, new FakeAccess(host, requests)]));
  const world = { cluster: undefined as KubernetesObject | undefined, password: "first", isLeader: true };
  world.cluster = clusterOf("one", 1);
  const database = new ClusterDatabase("ns/c", {
    source: {
      get: () => world.cluster,
      existence: () => Promise.resolve({ is: "absent" }),
      secret: () => Promise.resolve({ data: { username: "sip", password: world.password } }),
    },
    name: "me",
    clock,
    connect: ({ host }) => accesses.get(host)!,
    tryLogin: () => Promise.resolve(void requests.push("login")),
    onOpen: () => reported.push("open"),
    isLeader: () => world.isLeader,
    onBack: () => reported.push("back"),
    onLost: () => reported.push("lost"),
  });
  return { database, clock, requests, reported, world, one: accesses.get("one")!, two: accesses.get("two")! };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("requests at the same time open the database once; later ones are answered without a request", async () => {
  const { database, requests, reported } = makeDatabase();
  const [first, second] = await Promise.all([database.installation(), database.installation()]);
  expect(first).toBe(second);
  expect(await database.installation()).toBe(first);
  expect([database.state, requests, reported]).toEqual(["leading", ["open one"], ["open"]]);
});

test("a failure answers for 15 s; the heartbeat tries sooner, and reports that the database is back", async () => {
  const { database, clock, requests, reported, one } = makeDatabase();
  one.openFailure = unavailable;
  await expect(database.installation()).rejects.toBe(unavailable);
  clock.advance(14_999);
  await expect(database.installation()).rejects.toBe(unavailable);
  expect([database.state, requests]).toEqual(["failed", ["open one", "close one"]]);
  one.openFailure = undefined;
  await database.sendHeartbeat();
  expect([database.state, reported]).toEqual(["leading", ["open", "back"]]);
});

test("after 15 s, a changed SipCluster or a changed Secret, the next attempt is made", async () => {
  const { database, clock, requests, world, one } = makeDatabase();
  const opens = (): number => requests.filter((request) => request === "open one").length;
  one.openFailure = unavailable;
  await database.installation().catch(() => undefined);
  clock.advance(15_000);
  await database.installation().catch(() => undefined);
  expect(opens()).toBe(2);
  database.changed(world.cluster!);
  expect(database.state).toBe("closed");
  await database.sendHeartbeat();
  expect(opens()).toBe(2);
  await database.installation().catch(() => undefined);
  expect(opens()).toBe(3);
  database.secretChanged();
  await settle();
  expect([database.state, opens()]).toEqual(["failed", 4]);
});

test("a request waits 5 s for an opening; when it is open, that is reported", async () => {
  const { database, clock, reported, one } = makeDatabase();
  const held = Promise.withResolvers<void>();
  one.held = held.promise;
  const requested = database.installation();
  await settle();
  clock.advance(5_000);
  await expect(requested).rejects.toThrow("not open within 5 s");
  expect(database.state).toBe("failed");
  held.resolve();
  await database.sendHeartbeat();
  expect([database.state, reported]).toEqual(["leading", ["open", "back"]]);
});

test("a new address is opened beside the old one, which is closed then; a failure leaves the old one open", async () => {
  const { database, requests, reported, world, two } = makeDatabase();
  const before = await database.installation();
  world.cluster = clusterOf("two", 2);
  two.openFailure = unavailable;
  await expect(database.installation()).rejects.toBe(unavailable);
  expect([database.state, database.session?.installation]).toEqual(["leading", before]);
  two.openFailure = undefined;
  database.changed(world.cluster);
  expect(await database.installation()).not.toBe(before);
  await settle();
  expect(requests).toEqual(["open one", "open two", "close two", "open two", "close one"]);
  expect(reported).toEqual(["open", "open", "back"]);
});

test("a changed Secret of a database that is led: the login in use is tried, another one opens the database again", async () => {
  const { database, requests, world } = makeDatabase();
  await database.installation();
  database.secretChanged();
  await settle();
  expect(requests).toEqual(["open one", "login"]);
  world.password = "second";
  database.secretChanged();
  await settle();
  expect([database.state, requests.slice(2)]).toEqual(["leading", ["open one", "close one"]]);
});

test("an observer is opened again with each request, and sends no heartbeat", async () => {
  const { database, requests, one } = makeDatabase();
  one.epoch = undefined;
  await database.installation();
  one.heartbeatResult = unavailable;
  await database.sendHeartbeat();
  expect([database.state, requests]).toEqual(["observing", ["open one"]]);
  one.epoch = 1;
  await database.installation();
  expect([database.state, requests]).toEqual(["leading", ["open one", "open one"]]);
});

test.each([
  ["a table is missing", { heartbeatResult: tableMissing }, true, "leading", ["open", "open", "back"]],
  ["tables are lost", { isLost: true }, true, "leading", ["open", "open", "back"]],
  [
    "another database is there",
    { heartbeatResult: false, isAnother: true },
    true,
    "leading",
    ["open", "open", "back"],
  ],
  ["another SipCluster took it", { heartbeatResult: false, isTaken: true }, true, "closed", ["open", "back"]],
  [
    "another operator leads, and this one has the Lease",
    { heartbeatResult: false },
    true,
    "failed",
    ["open"],
  ],
  [
    "another operator leads, and this one has no Lease",
    { heartbeatResult: false },
    false,
    "leading",
    ["open", "lost"],
  ],
])("a heartbeat that finds: %s", async (_, found, isLeader, state, expected) => {
  const { database, reported, world, one } = makeDatabase();
  await database.installation();
  Object.assign(one, found);
  world.isLeader = isLeader;
  await database.sendHeartbeat();
  expect([database.state, reported]).toEqual([state, expected]);
});

test("a contested database is taken again after a minute without a heartbeat of the other leader", async () => {
  const { database, clock, requests, one } = makeDatabase();
  await database.installation();
  one.heartbeatResult = false;
  await database.sendHeartbeat();
  clock.advance(60_000);
  one.leaderAge = 59_999;
  await database.sendHeartbeat();
  expect([database.state, requests.filter((request) => request === "open one").length]).toEqual([
    "failed",
    1,
  ]);
  one.leaderAge = 60_000;
  await database.sendHeartbeat();
  expect(database.state).toBe("leading");
});

test("a SipCluster that is deleted frees its database, resigns and closes it; the object is idle then", async () => {
  const { database, requests, world, one } = makeDatabase();
  await database.installation();
  expect(database.isIdle).toBe(false);
  world.cluster = undefined;
  database.release();
  await settle();
  expect([database.state, database.isIdle, one.written]).toEqual(["closed", true, 1]);
  expect(requests).toEqual(["open one", "resign one", "close one"]);
  expect(await database.installation()).toBeUndefined();
});

test("a SipCluster that is deleted while its database is opened leaves it closed and free", async () => {
  const { database, requests, world, one } = makeDatabase();
  const held = Promise.withResolvers<void>();
  one.held = held.promise;
  const requested = database.installation();
  await settle();
  world.cluster = undefined;
  database.release();
  held.resolve();
  expect(await requested).toBeUndefined();
  await settle();
  expect([database.state, requests]).toEqual(["closed", ["open one", "resign one", "close one"]]);
  expect(one.written).toBeGreaterThan(0);
});
