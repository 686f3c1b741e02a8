/** What a decision about a SipUser looks at: its domain, its Secret, its owner row, and every row that bears one of its names. */
import type { Installation } from "../adapters/mysql/installation.ts";
import { readClaims, readOwner } from "../adapters/mysql/owners.ts";
import {
  hasBindings,
  readAliases,
  readSubscribers,
  readUserSettings,
  type Account,
  type AliasRow,
  type Credential,
  type UserSettings,
} from "../adapters/mysql/user-rows.ts";
import type { Claim, Owner, OwnerFields } from "../ownership.ts";
import { keyOf } from "../runtime/object.ts";
import type { Secret, Source } from "../runtime/source.ts";
import type { SipUser, UserFields } from "./resource.ts";

export interface UserWorld {
  readonly installationId: string;
  /** `unready`: the SipDomain is there, but has no rows of its own (yet). */
  readonly domain: { readonly kind: "absent" | "unready" } | ReadyDomain;
  readonly owner: Owner<UserFields> | undefined;
  readonly secret: Secret | undefined;
}

export interface ReadyDomain {
  readonly kind: "ready";
  readonly domain: string;
  readonly realm: string;
  /** Of user@domain and its aliases, by whomever. */
  readonly claims: readonly Claim[];
  /** Accounts with the username or an alias as their name, whoever made them. */
  readonly subscribers: readonly (Account & Credential)[];
  readonly settings: UserSettings | undefined;
  /** Aliases with the username or an alias as their name, whoever made them. */
  readonly aliases: readonly AliasRow[];
  readonly hasBindings: boolean;
}

/** What the owner row of a SipDomain tells its users. */
interface DomainFields extends OwnerFields {
  readonly domain: string;
  readonly realm: string;
}

/** The name that a user part claims in a domain. */
export const claimName = (user: string, domain: string): string => `${user}@${domain}`;

export async function readUserWorld(
  user: SipUser,
  installation: Installation,
  source: Source,
): Promise<UserWorld> {
  return {
    installationId: installation.id,
    domain: await readDomain(user, installation, source),
    owner: await readOwner<UserFields>(installation, user.reference),
    secret: await source.secret(user.credential.secret),
  };
}

async function readDomain(
  { reference: { namespace }, domainName, username, aliases }: SipUser,
  installation: Installation,
  source: Source,
): Promise<UserWorld["domain"]> {
  if (source.get("SipDomain", keyOf(namespace, domainName)) === undefined) return { kind: "absent" };
  const owner = await readOwner<DomainFields>(installation, {
    kind: "SipDomain",
    namespace,
    name: domainName,
  });
  if (owner === undefined) return { kind: "unready" };
  const { domain, realm } = owner.fields;
  const { database } = installation;
  const names = [username, ...aliases];
  return {
    kind: "ready",
    domain,
    realm,
    claims: await readClaims(
      database,
      "user",
      names.map((name) => claimName(name, domain)),
    ),
    subscribers: await readSubscribers(installation, domain, names),
    settings: await readUserSettings(database, { username, domain }),
    aliases: await readAliases(database, domain, names),
    hasBindings: await hasBindings(database, { username, domain }),
  };
}
