/** The Lease of the election, as the API server keeps it. */
import type { LeaseRecord, StoredLease } from "../../runtime/election.ts";
import type { LeaseStore } from "../../runtime/leader-elector.ts";
import { isAbsence } from "./api-error.ts";
import type { KubeClient } from "./kube-client.ts";
import { resourceTypes } from "./resource-type.ts";

interface Lease {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly resourceVersion?: string };
  /** Who wrote it may have left out anything. */
  readonly spec?: Partial<LeaseRecord>;
}

const { Lease: type } = resourceTypes;
const manager = { fieldManager: "strowger-operator" };

/** `client` writes also while this process is not the leader. */
export function leaseStore(client: KubeClient, namespace: string, name: string): LeaseStore {
  const place = { namespace, name };
  return {
    get: (signal) =>
      client.get<Lease>(type, place, { signal }).then(asStored, (error: unknown) => {
        if (isAbsence(error, type, name)) return undefined;
        throw error;
      }),
    create: async (spec, signal) =>
      asStored(await client.create<Lease>(type, { metadata: place, spec } as Lease, { ...manager, signal })),
    update: async (spec, resourceVersion, signal) => {
      const lease: Lease = { metadata: { ...place, resourceVersion }, spec };
      return asStored(await client.replace<Lease>(type, lease, { ...manager, signal }));
    },
  };
}

const asStored = ({ metadata, spec }: Lease): StoredLease => ({
  version: metadata.resourceVersion ?? "",
  record: {
    holderIdentity: spec?.holderIdentity ?? "",
    leaseDurationSeconds: spec?.leaseDurationSeconds ?? 0,
    acquireTime: spec?.acquireTime ?? "",
    renewTime: spec?.renewTime ?? "",
    leaseTransitions: spec?.leaseTransitions ?? 0,
  },
});
