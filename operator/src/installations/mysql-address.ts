/** Where the database of a SipCluster is, out of its spec and the Secrets that it names. Pure. */
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import { UnusableAddress } from "../adapters/mysql/failure.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Secret } from "../runtime/source.ts";
import type { SipClusterSpec } from "../sources/types.ts";
import { ownValue } from "../runtime/own-value.ts";

export type MysqlSpec = NonNullable<SipClusterSpec["mysql"]>;

/** Undefined where the SipCluster names no database. */
export const mysqlOf = (cluster: KubernetesObject): MysqlSpec | undefined =>
  (cluster.spec as SipClusterSpec).mysql;

/** The Secret of the operator's user; the nodes' user, where none is named for the operator. */
export const credentialsOf = (namespace: string, mysql: MysqlSpec): ObjectKey =>
  keyOf(namespace, (mysql.adminCredentialsSecretRef ?? mysql.credentialsSecretRef).name);

/** The Secret of the login that nodes mount. */
export const nodesCredentialsOf = (namespace: string, mysql: MysqlSpec): ObjectKey =>
  keyOf(namespace, mysql.credentialsSecretRef.name);

/** The same database as nodes sign in to it. */
export const asNodes = ({ adminCredentialsSecretRef: _, ...mysql }: MysqlSpec): MysqlSpec => mysql;

export const caOf = (namespace: string, { tls }: MysqlSpec): ObjectKey | undefined =>
  tls?.caSecretRef === undefined ? undefined : keyOf(namespace, tls.caSecretRef.name);

/** Throws `UnusableAddress` where a Secret or a key of it is missing; `undefined` is a Secret that is not there. */
export function mysqlAddress(
  namespace: string,
  mysql: MysqlSpec,
  credentials: Secret | undefined,
  ca: Secret | undefined,
): DatabaseAddress {
  const name = credentialsOf(namespace, mysql);
  const [host = "", ...otherHosts] = mysql.hosts;
  return {
    host,
    otherHosts,
    port: mysql.port,
    database: mysql.database,
    user: valueOf(credentials, name, "username"),
    password: valueOf(credentials, name, "password"),
    tls: mysql.tls === undefined ? "off" : "verify",
    ...caPart(namespace, mysql, ca),
  };
}

function caPart(namespace: string, mysql: MysqlSpec, secret: Secret | undefined): { readonly ca?: string } {
  const name = caOf(namespace, mysql);
  if (name === undefined) return {};
  return { ca: valueOf(secret, name, mysql.tls?.caSecretRef?.key ?? "ca.crt") };
}

function valueOf(secret: Secret | undefined, name: ObjectKey, key: string): string {
  if (secret === undefined)
    throw new UnusableAddress("SecretNotFound", `there is no Secret ${name}, which spec.mysql names`);
  const value = ownValue(secret.data, key);
  if (value === undefined)
    throw new UnusableAddress("SecretKeyNotFound", `Secret ${name} has no key ${key}; spec.mysql needs it`);
  return value;
}
