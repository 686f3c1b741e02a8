/** Which settings a running node cannot change. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";

/** By the names that they have in the file; all others come into force at once. */
const fixed: Readonly<Record<string, (config: Config) => unknown>> = {
  name: ({ name }) => name,
  "sip.listen": ({ sip }) => sip.listen,
  "sip.reusePort": ({ sip }) => sip.reusePort,
  "sip.direct": ({ sip }) => sip.direct,
  "cluster.listen": ({ cluster }) => cluster.listen,
  "cluster.advertise": ({ cluster }) => cluster.advertise,
  "http.listen": ({ http }) => http,
  "control.listen": ({ control }) => control,
  "mysql.hosts": ({ mysql }) => mysql.hosts,
  "mysql.database": ({ mysql }) => mysql.database,
  "mysql.connections": ({ mysql }) => mysql.connections,
  "mysql.tls": ({ mysql }) => mysql.tls,
  "limits.transactions": ({ maxTransactions }) => maxTransactions,
};

/** What differs between the configuration that the process began with and another, and needs a new process. */
export const restarts = (begun: Config, next: Config): readonly string[] =>
  Object.entries(fixed)
    .filter(([, of]) => !isDeepStrictEqual(of(begun), of(next)))
    .map(([name]) => name);
