/** Paths of our kinds in the API. */

export const sipKinds = ["sipusers", "sipdomains", "sipclusters"] as const;
export type SipPlural = (typeof sipKinds)[number];

const group = "/apis/sip.strowger.dev/v1alpha1";

/** All objects of a kind: of one namespace, or of all. */
export const collectionPath = (plural: SipPlural, namespace?: string): string =>
  namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`;

export const objectPath = (plural: SipPlural, namespace: string, name: string): string =>
  `${collectionPath(plural, namespace)}/${name}`;
