/** The address of a database: `mysql://user:password@host:port/database?tls=verify`. No message contains the password. */

export interface DatabaseAddress {
  readonly host: string;
  /** Further members of the same database. They are tried in this order if the first does not answer. */
  readonly otherHosts?: readonly string[];
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `verify`: encrypted, and the certificate must match the host name. `encrypt`: encrypted only. */
  readonly tls: "off" | "encrypt" | "verify";
  /** PEM of the CA; absent: the CAs that the system trusts. */
  readonly ca?: string;
}

/** The address, or the problem of the URL. */
export function parseDatabaseUrl(text: string): DatabaseAddress | { readonly problem: string } {
  if (!URL.canParse(text))
    return { problem: "is not a URL; expected mysql://user:password@host:port/database" };
  const url = new URL(text);
  if (url.protocol !== "mysql:" && url.protocol !== "mariadb:") {
    return { problem: `begins with ${url.protocol}//; expected mysql://user:password@host:port/database` };
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (!/^[A-Za-z0-9_$-]{1,64}$/.test(database)) {
    return { problem: "contains no database name; expected mysql://user:password@host:port/database" };
  }
  const tls = url.searchParams.get("tls") ?? "off";
  if (tls !== "off" && tls !== "encrypt" && tls !== "verify") {
    return { problem: `has tls=${tls}; expected off, encrypt or verify` };
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1",
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username) || "root",
    password: decodeURIComponent(url.password),
    database,
    tls,
  };
}

export const hostsOf = ({ host, otherHosts = [] }: DatabaseAddress): readonly string[] => [
  host,
  ...otherHosts,
];

/** The address without the password, for logs and terminals. */
export const describeAddress = ({ user, host, port, database }: DatabaseAddress): string =>
  `mysql://${user}@${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
