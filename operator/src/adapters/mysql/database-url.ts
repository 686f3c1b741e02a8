/** `mysql://user:password@host:port/database?tls=verify`: where the database is. A message about it never holds the password. */

export interface DatabaseAddress {
  readonly host: string;
  /** Further members of the same database, tried in this order when the first does not answer. */
  readonly otherHosts?: readonly string[];
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `verify`: encrypted, and the server proves its name; `encrypt`: encrypted only. */
  readonly tls: "off" | "encrypt" | "verify";
  /** PEM of who signed the server's certificate; absent: the authorities that the system trusts. */
  readonly ca?: string;
}

/** The address that a URL names, or what is wrong with the URL. */
export function parseDatabaseUrl(text: string): DatabaseAddress | { readonly problem: string } {
  if (!URL.canParse(text))
    return { problem: "is not a URL; expected mysql://user:password@host:port/database" };
  const url = new URL(text);
  if (url.protocol !== "mysql:" && url.protocol !== "mariadb:") {
    return { problem: `begins with ${url.protocol}//; expected mysql://user:password@host:port/database` };
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (!/^[A-Za-z0-9_$-]{1,64}$/.test(database)) {
    return { problem: "names no database; expected mysql://user:password@host:port/database" };
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

/** The address for a log or a terminal: without the password. */
export const describeAddress = ({ user, host, port, database }: DatabaseAddress): string =>
  `mysql://${user}@${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
