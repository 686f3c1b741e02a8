/** All limits on input from outside. A value above its limit is refused with the status in its comment. */

/** Bytes of a message (513 Message Too Large): the largest UDP payload. */
export const maxMessageBytes = 65_535;
/** Header fields in one message (400). */
export const maxFields = 200;
/** Bytes of one header field's value (400). */
export const maxFieldBytes = 8_192;
/** Bytes of a Request-URI (414 Request-URI Too Long). */
export const maxUriBytes = 2_048;
/** Bytes of a method name (400). RFC 4475 §3.1.1.2 has one of 43. */
export const maxMethodBytes = 64;
/** Bytes of a Call-ID, a tag or a branch (400). RFC 4475 §3.1.1.7 has some of several hundred. `location` holds fewer bytes of a Call-ID. */
export const maxTokenBytes = 1_024;
/** Values of one list header field: Contact, Route, Via (400). */
export const maxListValues = 64;
/** Digest credentials of one request, in Authorization or Proxy-Authorization. Later ones are ignored (401, 407). */
export const maxCredentials = 8;
/** Hosts in the Route of one request that are looked up as domains. Each look-up is a statement (403). */
export const maxRouteHosts = 4;
/** Contacts in one REGISTER (400). The limit of all contacts of a user is in `registrar/contact-limit.ts`. */
export const maxContactsPerRegister = 16;
/** Characters of `location.socket`; a longer advertised address is not written there. */
export const maxSocketBytes = 64;
/** Characters of `strowger_node.name` and `strowger_node.address`. A longer one is a problem of the configuration. */
export const maxNodeName = 253;
export const maxNodeAddress = 64;
/** Bytes of one contact URI that `location` can hold (400). */
export const maxContactBytes = 1_024;
/** Bytes of the Reason fields that are copied from a CANCEL to the CANCELs of its branches. Longer ones are omitted. */
export const maxReasonBytes = 1_024;
/** Bindings with the same contact, when a Request-URI is a phone's own contact. One that more phones share is refused (404). */
export const maxSameContact = 16;
/** Branches of one fork. */
export const maxBranches = 16;
/** Server and client transactions of one node (503). */
export const maxTransactions = 200_000;
/**
 * Server transactions with one Call-ID (503): each request is compared with all of them. A gateway registers all its lines with one Call-ID, and a
 * transaction stays for 32 s.
 */
export const maxTransactionsOfCall = 4_000;
/** Flows that a node remembers. The least recently used unauthenticated ones are forgotten first (docs/adr/0022). */
export const maxFlows = 500_000;
/** CSeq numbers are below 2^31 (RFC 3261 §8.1.1.5). */
export const maxCSeq = 2_147_483_647;
