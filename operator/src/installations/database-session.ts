/** A SipCluster's database while it is open, and how the session ends. */
import { isDeepStrictEqual } from "node:util";
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import {
  setClusterOfDatabase,
  type ClusterIdentity,
  type Installation,
} from "../adapters/mysql/installation.ts";
import type { Leadership } from "../adapters/mysql/leader-heartbeat.ts";
import type { MigrationReport } from "../adapters/mysql/migrate.ts";
import type { Clock } from "../runtime/clock.ts";
import { keyOf, type KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { ContestedDatabase } from "./contested-database.ts";
import type { DatabaseAccess } from "./database-access.ts";

export interface DatabaseSession {
  readonly cluster: ClusterIdentity;
  /** Of the SipCluster's spec that it was opened for. */
  readonly generation: number;
  readonly address: DatabaseAddress;
  readonly access: DatabaseAccess;
  readonly installation: Installation;
}

const identityOf = ({ metadata: { namespace, name, uid } }: KubernetesObject): ClusterIdentity => ({
  namespace,
  name,
  uid,
});

/** Whether it was opened for this SipCluster as it is now. */
export const isCurrent = (
  { cluster, generation }: DatabaseSession,
  { metadata }: KubernetesObject,
): boolean => cluster.uid === metadata.uid && generation === metadata.generation;

/** Undefined for an observer. */
export function leadershipOf(session: DatabaseSession | undefined): Leadership | undefined {
  const { id, epoch } = session?.installation ?? {};
  return id === undefined || epoch === undefined ? undefined : { id, epoch };
}

export interface OpenedSession {
  readonly session: DatabaseSession;
  /** Absent for an observer, and where this process led the database already. */
  readonly report?: MigrationReport;
  /** On the connections of the session before. */
  readonly isReused: boolean;
}

export interface OpeningOptions {
  readonly before: DatabaseSession | undefined;
  /** The database may be taken again only on its terms. */
  readonly contest: ContestedDatabase | undefined;
  readonly clock: Clock;
  readonly connect: (address: DatabaseAddress) => DatabaseAccess;
}

/** Opens the database at `address` for the SipCluster. Throws while it is contested, and what `openClusterDatabase` throws. */
export async function openSession(
  object: KubernetesObject,
  address: DatabaseAddress,
  { before, contest, clock, connect }: OpeningOptions,
): Promise<OpenedSession> {
  const { generation } = object.metadata;
  const cluster = identityOf(object);
  const reused =
    before?.cluster.uid === cluster.uid && isDeepStrictEqual(before.address, address) ? before : undefined;
  const access = reused?.access ?? connect(address);
  try {
    if (contest?.isOf(cluster.uid, address) === true && !(await contest.mayBeTaken(access, clock.now())))
      throw contest.failure;
    const { installation, report } =
      reused?.installation.epoch === undefined
        ? await access.open(cluster, leadershipOf(before))
        : { installation: reused.installation };
    return {
      session: { cluster, generation, address, access, installation },
      ...(report && { report }),
      isReused: reused !== undefined,
    };
  } catch (error) {
    if (reused === undefined) void access.close().catch(() => undefined);
    throw error;
  }
}

/** In the background: a host that is gone may need minutes to fail. A leader that ends for good withdraws its heartbeat first. */
export function closeSession(session: DatabaseSession, isForGood: boolean): void {
  const { access } = session;
  const leadership = isForGood ? leadershipOf(session) : undefined;
  const resigned = leadership === undefined ? Promise.resolve() : access.resign(leadership);
  resigned
    .catch(() => undefined)
    .then(() => access.close())
    .catch(() => undefined);
}

/**
 * In the background: marks the database as free, and closes it. It is marked here only for a SipCluster that was deleted before it had a
 * finalizer, because the finalizer's removal does the same. A database that is unreachable stays marked.
 */
export function releaseSession(session: DatabaseSession, source: Pick<Source, "existence">): void {
  freeDatabase(session, source)
    .catch(() => undefined)
    .then(() => closeSession(session, true))
    .catch(() => undefined);
}

async function freeDatabase(
  { cluster, access, installation }: DatabaseSession,
  source: Pick<Source, "existence">,
): Promise<void> {
  if (installation.epoch === undefined) return;
  const existence = await source.existence("SipCluster", keyOf(cluster.namespace, cluster.name));
  if (existence.is !== "absent") return;
  const holder = await access.cluster();
  if (holder?.uid === cluster.uid)
    await installation.write((change) => setClusterOfDatabase(change, undefined));
}
