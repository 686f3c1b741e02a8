/** API paths of SipCluster, SipDomain and SipUser. */

export const sipKinds = ["sipusers", "sipdomains", "sipclusters"] as const;
export type SipPlural = (typeof sipKinds)[number];

const group = "/apis/sip.strowger.dev/v1alpha1";

/** The path of all objects of a kind, in one namespace or in all. */
export const collectionPath = (plural: SipPlural, namespace?: string): string =>
  namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`;

export const objectPath = (plural: SipPlural, namespace: string, name: string): string =>
  `${collectionPath(plural, namespace)}/${name}`;
