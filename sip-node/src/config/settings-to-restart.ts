/** The settings that a running node cannot change. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";

/** By their names in the file. All other settings come into force at once. */
const fixedSettings: Readonly<Record<string, (config: Config) => unknown>> = {
  name: ({ name }) => name,
  "sip.listen": ({ sip }) => sip.listen,
  "sip.reusePort": ({ sip }) => sip.reusePort,
  "sip.udpEngine": ({ sip }) => sip.udpEngine,
  "sip.tcp": ({ sip }) => sip.tcp,
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

/** The names of the settings that differ between the two configurations and need a restart. */
export const settingsToRestart = (initial: Config, next: Config): readonly string[] =>
  Object.entries(fixedSettings)
    .filter(([, valueOf]) => !isDeepStrictEqual(valueOf(initial), valueOf(next)))
    .map(([name]) => name);
