/** A real database, an API server in memory, and the controllers of the two kinds with rows; each test of the importing file gets new ones. */
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { ClusterInstallations } from "../../../operator/src/installations/cluster-installations.ts";
import { OutageConditions } from "../../../operator/src/installations/outage-conditions.ts";
import type { CommonStatus, KubernetesObject, ObjectKey } from "../../../operator/src/runtime/object.ts";
import type { Outcome } from "../../../operator/src/runtime/reconcile-loop.ts";
import { StatusWriter } from "../../../operator/src/runtime/status-writer.ts";
import { VirtualClock } from "../../support/operator/virtual-clock.ts";
import { SipDomainController } from "../../../operator/src/sip-domain/controller.ts";
import { SipUserController } from "../../../operator/src/sip-user/controller.ts";
import { figureFields } from "../../../operator/src/sip-user/plan-figures.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { MemorySource } from "./memory-source.ts";

export let mariadb: TestMariadb;
export let source: MemorySource;
export let clock: VirtualClock;
export let installations: ClusterInstallations;
export let domains: SipDomainController;
export let users: SipUserController;

beforeAll(async () => {
  mariadb = await startMariadb();
});

afterAll(() => mariadb[Symbol.asyncDispose]());

beforeEach(async () => {
  await mariadb.query("DROP DATABASE strowger");
  await mariadb.query("CREATE DATABASE strowger CHARACTER SET utf8mb4");
  await mariadb.query("USE strowger");
  source = new MemorySource();
  source.secrets.set("voice/db", { data: { username: "root", password: "" } });
  source.put("SipCluster", "voice", "main", cluster());
  clock = new VirtualClock();
  installations = new ClusterInstallations(source, {
    name: "operator-0",
    clock,
    isLeader: () => false,
    onOpen: () => undefined,
    onBack: () => undefined,
    onLost: () => undefined,
  });
  const status = new StatusWriter(source, clock, () => undefined, figureFields);
  const parts = { installations, source, status, outages: new OutageConditions(clock) };
  domains = new SipDomainController(parts);
  users = new SipUserController(parts);
  source.changed = (change) => [domains, users].forEach((controller) => controller.dependentsOf(change));
});

afterEach(() => installations.close());

export const cluster = (more: object = {}) => ({
  mysql: {
    hosts: ["127.0.0.1"],
    port: mariadb.port,
    database: "strowger",
    credentialsSecretRef: { name: "db" },
  },
  ...more,
});

export const domainSpec = (more: object = {}) => ({
  clusterRef: { name: "main" },
  domain: "example.com",
  realm: "test",
  enabled: true,
  adoptionPolicy: "Never",
  ...more,
});

export const userSpec = (name: string, more: object = {}) => ({
  domainRef: { name: "example" },
  username: name,
  passwordSecretRef: { name: "secret", key: "password" },
  enabled: true,
  adoptionPolicy: "Never",
  ...more,
});

export function secret(key: ObjectKey, password: string, resourceVersion: string): void {
  source.secrets.set(key, { data: { password }, resourceVersion, isWatched: true });
}

/** Reconciles an object, and returns the outcome and the reason of its condition Ready. */
export async function reconcile(
  kind: "SipDomain" | "SipUser",
  key: ObjectKey,
): Promise<Outcome & { reason: string }> {
  const controller = kind === "SipDomain" ? domains : users;
  const outcome = await controller.reconcile(source.get(kind, key)!);
  return { ...outcome, reason: reasonOf(source.get(kind, key)) };
}

const reasonOf = (object: KubernetesObject | undefined): string =>
  (object?.status as CommonStatus).conditions?.find(({ type }) => type === "Ready")?.reason ?? "none";

export const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

export const statusOf = (kind: string, key: ObjectKey): Record<string, unknown> =>
  source.get(kind, key)?.status as Record<string, unknown>;

export const ha1Of = async (name: string): Promise<string | undefined> =>
  (await mariadb.query<{ ha1: string }>("SELECT ha1 FROM subscriber WHERE username = ?", [name]))[0]?.ha1;

/** A served domain with its user alice. */
export async function createDomainAndUser(): Promise<void> {
  source.put("SipDomain", "voice", "example", domainSpec());
  secret("voice/secret", "first", "1");
  source.put("SipUser", "voice", "alice", userSpec("alice"));
  await reconcile("SipDomain", "voice/example");
  await reconcile("SipUser", "voice/alice");
}

/** Marks the object for deletion. */
export function deleted(kind: string, key: ObjectKey): void {
  const object = source.get(kind, key)!;
  const metadata = { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  source.objects.set(`${kind} ${key}`, { ...object, metadata });
}

export const subscribers = async (): Promise<readonly string[]> =>
  (await mariadb.query<{ username: string }>("SELECT username FROM subscriber ORDER BY username")).map(
    ({ username }) => username,
  );
