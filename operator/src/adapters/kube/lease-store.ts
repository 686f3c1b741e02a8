/** The Lease of the election at the API server. */
import type { LeaseRecord, StoredLease } from "../../runtime/election.ts";
import type { LeaseStore } from "../../runtime/leader-elector.ts";
import { isAbsence } from "./api-error.ts";
import type { KubeClient } from "./kube-client.ts";
import { resourceTypes } from "./resource-type.ts";

interface Lease {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly resourceVersion?: string };
  /** Another program may have omitted fields. */
  readonly spec?: Partial<LeaseRecord>;
}

const { Lease: type } = resourceTypes;
const manager = { fieldManager: "strowger-operator" };

/** `client` must write also while this process is not the leader. */
export function leaseStore(client: KubeClient, namespace: string, name: string): LeaseStore {
  const place = { namespace, name };
  return {
    get: (signal) =>
      client.get<Lease>(type, place, { signal }).then(toStoredLease, (error: unknown) => {
        if (isAbsence(error, type, name)) return undefined;
        throw error;
      }),
    create: async (spec, signal) =>
      toStoredLease(
        await client.create<Lease>(type, { metadata: place, spec } as Lease, { ...manager, signal }),
      ),
    update: async (spec, resourceVersion, signal) => {
      const lease: Lease = { metadata: { ...place, resourceVersion }, spec };
      return toStoredLease(await client.replace<Lease>(type, lease, { ...manager, signal }));
    },
  };
}

const toStoredLease = ({ metadata, spec }: Lease): StoredLease => ({
  version: metadata.resourceVersion ?? "",
  record: {
    holderIdentity: spec?.holderIdentity ?? "",
    leaseDurationSeconds: spec?.leaseDurationSeconds ?? 0,
    acquireTime: spec?.acquireTime ?? "",
    renewTime: spec?.renewTime ?? "",
    leaseTransitions: spec?.leaseTransitions ?? 0,
  },
});
