/** Starts the operator: it watches the folder of YAML and writes domains and users into the database. */
import { join } from "node:path";
import { Child } from "./child.ts";
import type { DatabaseAccess } from "./database.ts";
import { freeTcpPort } from "./free-port.ts";
import { operatorFolder } from "./load-exchange.ts";
import { isReady } from "./nodes.ts";
import { StartupError } from "./startup-error.ts";
import type { UpDependencies } from "./up-dependencies.ts";
import { waitFor } from "./wait.ts";

export interface Operator {
  readonly child: Child;
  readonly httpUrl: string;
}

const readyTimeoutMs = 60_000;

/** Starts the operator and returns when it has migrated the database and is ready. Disposing `resources` stops it. Throws StartupError. */
export async function startOperator(
  deps: UpDependencies,
  database: DatabaseAccess,
  resources: AsyncDisposableStack,
): Promise<Operator> {
  const port = await freeTcpPort("127.0.0.1", 9100);
  const childOptions = {
    name: "operator",
    command: process.execPath,
    args: [join(deps.root, "operator/src/main.ts")],
    env: {
      STROWGER_FILES: deps.options.examples,
      STROWGER_MYSQL_URL: database.operatorUrl,
      STROWGER_DATA: operatorFolder(deps.dataFolder),
      STROWGER_HTTP: `127.0.0.1:${port}`,
      STROWGER_LOG_LEVEL: "info",
    },
    logFile: join(deps.dataFolder, "logs", "operator.log"),
    stopTimeoutMs: 10_000,
  };
  const operator = {
    child: resources.use(new Child(childOptions, deps.print)),
    httpUrl: `http://127.0.0.1:${port}`,
  };
  const result = await waitFor(
    async () => {
      if (!operator.child.isRunning) return false;
      return (await isReady(operator.httpUrl)) ? true : undefined;
    },
    readyTimeoutMs,
    deps.stop,
  );
  if (result !== true) {
    const what =
      result === false ? "The operator ended" : `The operator is not ready after ${readyTimeoutMs / 1000} s`;
    throw new StartupError(
      `${what}. The last lines of its log (${childOptions.logFile}):\n${await operator.child.lastLogLines()}`,
    );
  }
  operator.child.keepAlive();
  return operator;
}
