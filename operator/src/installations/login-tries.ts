/** Which logins the Secrets of a SipCluster hold, as attempts for `LoginChecks`. */
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import type { Source } from "../runtime/source.ts";
import type { LoginTries } from "./login-checks.ts";
import { asNodes, credentialsOf, nodesCredentialsOf, readAddress, type MysqlSpec } from "./mysql-address.ts";

/** `tryOperator` signs in with the operator's login, and throws what is wrong with it. */
export function loginTries(
  namespace: string,
  mysql: MysqlSpec,
  source: Pick<Source, "secret">,
  tryOperator: (address: DatabaseAddress) => Promise<void>,
): LoginTries {
  const isShared = nodesCredentialsOf(namespace, mysql) === credentialsOf(namespace, mysql);
  return {
    operator: async () => tryOperator(await readAddress(source, namespace, mysql)),
    nodes: () => (isShared ? Promise.resolve(undefined) : readAddress(source, namespace, asNodes(mysql))),
  };
}
