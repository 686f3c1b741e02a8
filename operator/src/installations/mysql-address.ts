/** The address of a SipCluster's database, from its spec and the Secrets that the spec names. */
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import { UnusableAddress } from "../adapters/mysql/failure.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Secret, Source } from "../runtime/source.ts";
import type { SipClusterSpec } from "../sources/types.ts";
import { ownValue } from "../runtime/own-value.ts";

export type MysqlSpec = NonNullable<SipClusterSpec["mysql"]>;

/** Undefined where the SipCluster names no database. */
export const mysqlOf = (cluster: KubernetesObject): MysqlSpec | undefined =>
  (cluster.spec as SipClusterSpec).mysql;

/** The Secret of the operator's login. Without one of its own, the operator uses the nodes' login. */
export const credentialsOf = (namespace: string, mysql: MysqlSpec): ObjectKey =>
  keyOf(namespace, (mysql.adminCredentialsSecretRef ?? mysql.credentialsSecretRef).name);

/** The Secret that nodes mount. */
export const nodesCredentialsOf = (namespace: string, mysql: MysqlSpec): ObjectKey =>
  keyOf(namespace, mysql.credentialsSecretRef.name);

/** The same database with the nodes' login. */
export const asNodes = ({ adminCredentialsSecretRef: _, ...mysql }: MysqlSpec): MysqlSpec => mysql;

const caOf = (namespace: string, { tls }: MysqlSpec): ObjectKey | undefined =>
  tls?.caSecretRef === undefined ? undefined : keyOf(namespace, tls.caSecretRef.name);

/** All Secrets that the spec names. */
export const secretsOf = (namespace: string, mysql: MysqlSpec): readonly (ObjectKey | undefined)[] => [
  credentialsOf(namespace, mysql),
  caOf(namespace, mysql),
  nodesCredentialsOf(namespace, mysql),
];

/** Reads the Secrets. Throws what that throws, and `UnusableAddress`. */
export async function readAddress(
  source: Pick<Source, "secret">,
  namespace: string,
  mysql: MysqlSpec,
): Promise<DatabaseAddress> {
  const ca = caOf(namespace, mysql);
  return mysqlAddress(
    namespace,
    mysql,
    await source.secret(credentialsOf(namespace, mysql)),
    ca === undefined ? undefined : await source.secret(ca),
  );
}

/** Throws `UnusableAddress` where a Secret is missing (`undefined`) or lacks a key. */
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
