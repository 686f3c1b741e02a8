/** Rows of `subscriber` and `dbaliases` (OpenSIPS) and of `strowger_subscriber`, and the bindings of a user. */
import type { Statements } from "./database.ts";
import type { WriteTransaction, Installation, SubscriberShape } from "./installation.ts";
import type { Insertion } from "./pending-inserts.ts";
import { padded, placeholdersFor } from "./placeholders.ts";

/** A user of a domain, by the columns `username` and `domain` of many tables. */
export interface Account {
  readonly username: string;
  readonly domain: string;
}

/** Hex digests (RFC 2617 §3.2.2.2, RFC 7616 §3.4.2); all but `ha1` are '' if they are unknown. */
export interface Credential {
  readonly ha1: string;
  readonly ha1Sha256: string;
  /** These two are for the login name username@domain. */
  readonly ha1b: string;
  readonly ha1bSha256: string;
}

export interface UserSettings {
  readonly isEnabled: boolean;
  readonly maxContacts: number | null;
  readonly displayName: string | null;
}

/** An alias in the account's own domain. */
export interface AliasRow {
  readonly alias: string;
  readonly target: Account;
}

/** An account with its credential. `plain` is the plain password, which other tools store; the operator never does. */
export interface SubscriberRow extends Account, Credential {
  readonly plain: string;
}

/** The accounts of these user parts, in the table's spelling. `CONVERT`: MySQL cannot compare two binary collations. */
export const readSubscribers = (
  { database, subscriber }: Installation,
  domain: string,
  usernames: readonly string[],
): Promise<readonly SubscriberRow[]> =>
  database.rows(
    `SELECT s.username, s.domain, s.ha1, ${subscriber.hasSha256 ? "s.ha1_sha256" : "''"} AS ha1Sha256, s.password AS plain,
         COALESCE(${subscriber.hasHa1b ? "s.ha1b" : "ss.ha1b"}, '') AS ha1b, COALESCE(ss.ha1b_sha256, '') AS ha1bSha256
       FROM subscriber s LEFT JOIN strowger_subscriber ss
         ON ss.username = CONVERT(s.username USING utf8mb4) AND ss.domain = CONVERT(s.domain USING utf8mb4)
      WHERE s.domain = ? AND s.username IN (${placeholdersFor(usernames)})`,
    [domain, ...padded(usernames)],
  );

export async function readUserSettings(
  database: Statements,
  { username, domain }: Account,
): Promise<UserSettings | undefined> {
  const [found] = await readSettingsOf(database, domain, [username]);
  return found?.settings;
}

/** An account without a row is omitted. */
export async function readSettingsOf(
  database: Statements,
  domain: string,
  usernames: readonly string[],
): Promise<readonly (Account & { readonly settings: UserSettings })[]> {
  const rows = await database.rows<Account & Omit<UserSettings, "isEnabled"> & { enabled: number }>(
    `SELECT username, domain, enabled, max_contacts AS maxContacts, display_name AS displayName FROM strowger_subscriber
      WHERE domain = ? AND username IN (${placeholdersFor(usernames)})`,
    [domain, ...padded(usernames)],
  );
  return rows.map(({ username, domain, enabled, ...rest }) => ({
    username,
    domain,
    settings: { ...rest, isEnabled: enabled === 1 },
  }));
}

export async function readAliases(
  database: Statements,
  domain: string,
  aliases: readonly string[],
): Promise<readonly AliasRow[]> {
  const rows = await database.rows<Account & { alias: string }>(
    `SELECT alias_username AS alias, username, domain FROM dbaliases WHERE alias_domain = ? AND alias_username IN (${placeholdersFor(aliases)})`,
    [domain, ...padded(aliases)],
  );
  return rows.map(({ alias, username, domain }) => ({ alias, target: { username, domain } }));
}

/** Whether the account has bindings, which are removed when the user is disabled. */
export const hasBindings = async (database: Statements, { username, domain }: Account): Promise<boolean> =>
  (await readBoundUsernames(database, domain, [username])).length > 0;

/** The accounts that have bindings. */
export const readBoundUsernames = (
  database: Statements,
  domain: string,
  usernames: readonly string[],
): Promise<readonly Account[]> =>
  database.rows(
    `SELECT DISTINCT username, domain FROM location WHERE domain = ? AND username IN (${placeholdersFor(usernames)})`,
    [domain, ...padded(usernames)],
  );

/** Stores no plain password. The transaction throws `DuplicateKey` if the account exists. */
export async function insertSubscriber(
  change: WriteTransaction,
  shape: SubscriberShape,
  { username, domain }: Account,
  credential: Credential,
): Promise<void> {
  const hashes = hashesIn(shape, credential);
  await change.insert(subscriberInsertion(hashes.map(([column]) => column)), [
    username,
    domain,
    "",
    ...hashes.map(([, hash]) => hash),
  ]);
  await saveOtherHashes(change, shape, { username, domain }, credential);
}

const subscriberInsertions = new Map<string, Insertion>();

/** The same object for the same columns. There are at most four lists of columns. */
function subscriberInsertion(hashes: readonly string[]): Insertion {
  const into = `INSERT INTO subscriber (${["username", "domain", "password", ...hashes].join(", ")})`;
  const insertion = subscriberInsertions.get(into) ?? { into };
  subscriberInsertions.set(into, insertion);
  return insertion;
}

export async function updateSubscriber(
  change: WriteTransaction,
  shape: SubscriberShape,
  { username, domain }: Account,
  credential: Credential,
): Promise<void> {
  const hashes = hashesIn(shape, credential);
  await change.run(
    `UPDATE subscriber SET password = '', ${hashes.map(([column]) => `${column} = ?`).join(", ")}
      WHERE username = ? AND domain = ?`,
    [...hashes.map(([, hash]) => hash), username, domain],
  );
  await saveOtherHashes(change, shape, { username, domain }, credential);
}

/** The hashes for which `subscriber` has a column; this depends on the version of OpenSIPS that created the table. */
const hashesIn = (
  { hasSha256, hasHa1b }: SubscriberShape,
  { ha1, ha1Sha256, ha1b }: Credential,
): readonly (readonly [column: string, hash: string])[] => [
  ["ha1", ha1],
  ...(hasSha256 ? [["ha1_sha256", ha1Sha256] as const] : []),
  ...(hasHa1b ? [["ha1b", ha1b] as const] : []),
];

const otherHashInsertion: Insertion = {
  into: "INSERT INTO strowger_subscriber (username, domain, ha1b, ha1b_sha256, change_seq)",
  orUpdate:
    "ON DUPLICATE KEY UPDATE ha1b = VALUES(ha1b), ha1b_sha256 = VALUES(ha1b_sha256), change_seq = VALUES(change_seq)",
};

function saveOtherHashes(
  change: WriteTransaction,
  { hasHa1b }: SubscriberShape,
  { username, domain }: Account,
  { ha1b, ha1bSha256 }: Credential,
): Promise<void> {
  return change.insert(otherHashInsertion, [
    username,
    domain,
    hasHa1b ? "" : ha1b,
    ha1bSha256,
    change.changeSeq,
  ]);
}

const settingsInsertion: Insertion = {
  into: "INSERT INTO strowger_subscriber (username, domain, enabled, max_contacts, display_name, change_seq)",
  orUpdate: `ON DUPLICATE KEY UPDATE enabled = VALUES(enabled), max_contacts = VALUES(max_contacts), display_name = VALUES(display_name),
       change_seq = VALUES(change_seq)`,
};

export function saveUserSettings(
  change: WriteTransaction,
  { username, domain }: Account,
  settings: UserSettings,
): Promise<void> {
  return change.insert(settingsInsertion, [
    username,
    domain,
    settings.isEnabled ? 1 : 0,
    settings.maxContacts,
    settings.displayName,
    change.changeSeq,
  ]);
}

export async function deleteSubscriber(
  change: WriteTransaction,
  { username, domain }: Account,
): Promise<void> {
  await deleteFrom(change, ["subscriber", "strowger_subscriber"], "username = ? AND domain = ?", [
    username,
    domain,
  ]);
}

const aliasInsertion: Insertion = {
  into: "INSERT INTO dbaliases (alias_username, alias_domain, username, domain)",
};

/** The transaction throws `DuplicateKey` if the alias exists. */
export function insertAlias(
  change: WriteTransaction,
  alias: string,
  { username, domain }: Account,
): Promise<void> {
  return change.insert(aliasInsertion, [alias, domain, username, domain]);
}

/** Deletes the alias only if it leads to this account. */
export async function deleteAlias(
  change: WriteTransaction,
  alias: string,
  { username, domain }: Account,
): Promise<void> {
  await change.run(
    "DELETE FROM dbaliases WHERE alias_username = ? AND alias_domain = ? AND username = ? AND domain = ?",
    [alias, domain, username, domain],
  );
}

/**
 * Removes the bindings of an account with their flows, and raises the version of the address of record. A REGISTER that was planned before
 * is then planned again with the present state of the user.
 */
export async function removeBindings(change: WriteTransaction, { username, domain }: Account): Promise<void> {
  await change.run(
    `INSERT INTO strowger_aor (username, domain, version) VALUES (?, ?, 1)
     ON DUPLICATE KEY UPDATE version = version + 1`,
    [username, domain],
  );
  // As text: a contact_id can be too large for an exact number.
  const bindings = await change.rows<{ id: string }>(
    "SELECT CAST(contact_id AS CHAR) AS id FROM location WHERE username = ? AND domain = ?",
    [username, domain],
  );
  if (bindings.length === 0) return;
  const ids = bindings.map(({ id }) => id);
  await deleteFrom(
    change,
    ["location", "strowger_flow"],
    `contact_id IN (${placeholdersFor(ids)})`,
    padded(ids),
  );
}

/** Deletes from a table of OpenSIPS and from its companion table. */
async function deleteFrom(
  change: WriteTransaction,
  tables: readonly ["subscriber" | "location", "strowger_subscriber" | "strowger_flow"],
  where: string,
  values: readonly string[],
): Promise<void> {
  for (const table of tables) await change.run(`DELETE FROM ${table} WHERE ${where}`, values);
}
