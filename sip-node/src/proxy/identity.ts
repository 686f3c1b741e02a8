/**
 * Which asserted identities are forwarded (RFC 3325 §5, §7; RFC 3323 §4.2). Peers of the SipCluster are trusted, phones are not.
 *
 *   from a phone                removed; to a peer, the authenticated caller is asserted instead
 *   from a peer to a peer       forwarded unchanged
 *   from a peer to a phone      forwarded, unless the peer requests privacy
 */
import type { Aor } from "../location/account.ts";
import { type Edit, insertAtEnd, removeField } from "../wire/edits.ts";
import type { Field, FieldName, Message } from "../wire/message.ts";
import { toWireText } from "../wire/wire-text.ts";

/** Whether the sender and the receiver of a message are peers. */
export interface Trust {
  readonly isFromPeer: boolean;
  readonly isToPeer: boolean;
}

/** `proven`: the authenticated caller; undefined: no authentication took place. */
export function identityEdits(message: Message, trust: Trust, proven?: Aor): readonly Edit[] {
  if (trust.isFromPeer && trust.isToPeer) return none;
  const isAsserted = proven !== undefined && trust.isToPeer;
  if (!isAsserted && !hasIdentity(message)) return none;
  const isHidden = !trust.isFromPeer || asksForPrivacy(message);
  const edits = message.fields.filter((field) => isRemoved(message, field, isHidden)).map(removeField);
  if (!isAsserted) return edits;
  return [...edits, insertAtEnd(message, `P-Asserted-Identity: <${aorUri(proven)}>\r\n`)];
}

const none: readonly Edit[] = [];

/** Headers that assert an identity. P-Preferred-Identity is only for the first proxy and always removed (RFC 3325 §9.2). */
const isAssertion = (name: FieldName): boolean =>
  name === "p-asserted-identity" || name === "remote-party-id";

/** Asked for every message. A set and a closure take longer than the comparisons. */
function hasIdentity({ fields }: Message): boolean {
  for (const { name } of fields) if (name === "p-preferred-identity" || isAssertion(name)) return true;
  return false;
}

const isRemoved = (message: Message, field: Field, isHidden: boolean): boolean =>
  field.name === "p-preferred-identity" ||
  (isAssertion(field.name) && (isHidden || isHiddenParty(message, field)));

/** `id` hides the asserted identity (RFC 3325 §9.3); `user` and `header` request more than that (RFC 3323 §4.2). */
const anyPrivacy = /^\s*(id|user|header)\s*$/i;

/** Whether a Privacy value of the message matches. */
export const asksForPrivacy = ({ text, fields }: Message, values = anyPrivacy): boolean =>
  fields.some(
    ({ name, valueStart, valueEnd }) =>
      name === "privacy" &&
      text
        .slice(valueStart, valueEnd)
        .split(/[;,]/)
        .some((value) => values.test(value)),
  );

/** Remote-Party-ID, the predecessor of P-Asserted-Identity, has its own privacy parameter. */
const isHiddenParty = ({ text }: Message, { name, valueStart, valueEnd }: Field): boolean =>
  name === "remote-party-id" &&
  /;\s*privacy\s*=\s*"?(?!off\b|none\b)[a-z]/i.test(text.slice(valueStart, valueEnd));

/** Escapes all characters that a user part may not contain (RFC 3261 §25.1). */
const aorUri = ({ username, domain }: Aor): string =>
  `sip:${toWireText(username).replace(
    /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  )}@${domain}`;
