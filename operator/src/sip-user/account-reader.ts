/**
 * Reads the rows of SipUsers whose SipDomain is served. SipUsers that are reconciled at the same time are read together: 10,000 new ones
 * would otherwise need 70,000 statements.
 */
import { readAccounts, type AccountRows } from "../adapters/mysql/account-rows.ts";
import type { Installation } from "../adapters/mysql/installation.ts";
import { Batches } from "../runtime/batches.ts";
import { monotonicClock } from "../runtime/clock.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import type { SipUser, UserFields } from "./resource.ts";
import { readServedDomain, type ServedDomain } from "./served-domain.ts";

export interface ServedAccount {
  readonly served: ServedDomain;
  readonly rows: AccountRows<UserFields>;
}

interface Query {
  /** The SipDomain. */
  readonly domain: KubernetesObject;
  readonly user: SipUser;
}

const limits = { size: 32, spacing: 100, quiet: 15, clock: monotonicClock };

export class AccountReader {
  readonly #batches = new WeakMap<Installation, Batches<Query, ServedAccount | undefined>>();

  /** Undefined: the domain is not served, or not yet. */
  read(
    domain: KubernetesObject,
    user: SipUser,
    installation: Installation,
  ): Promise<ServedAccount | undefined> {
    const batches =
      this.#batches.get(installation) ?? new Batches((batch) => readBatch(batch, installation), limits);
    this.#batches.set(installation, batches);
    return batches.add({ domain, user });
  }
}

async function readBatch(
  batch: readonly Query[],
  installation: Installation,
): Promise<readonly PromiseSettledResult<ServedAccount | undefined>[]> {
  const found = new Map<Query, ServedAccount | undefined>();
  for (const [domain, queries] of Map.groupBy(batch, (query) => query.domain)) {
    const served = await readServedDomain(domain, installation);
    if (served === undefined) continue;
    const users = queries.map(({ user }) => user);
    const rows = await readAccounts<UserFields>(installation, served.domain, users);
    queries.forEach((query, index) => {
      const own = rows[index];
      found.set(query, own && { served, rows: own });
    });
  }
  return batch.map((query) => ({ status: "fulfilled", value: found.get(query) }));
}
