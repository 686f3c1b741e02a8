/** The operator of the local cluster: it watches the folder of YAML and writes domains and users into the database. */
import { join } from "node:path";
import { Child } from "./child.ts";
import type { Database } from "./database.ts";
import { Fault } from "./fault.ts";
import { freeTcpPort } from "./free-port.ts";
import type { House } from "./house.ts";
import { operatorFolder } from "./load-exchange.ts";
import { isReady } from "./nodes.ts";
import { waitFor } from "./wait.ts";

export interface Operator {
  readonly child: Child;
  readonly httpUrl: string;
}

const readyPatienceMs = 60_000;

/** Starts the operator and returns when it has brought its schema and is ready. Stopped with `cellar`. Throws Fault. */
export async function startOperator(
  house: House,
  database: Database,
  cellar: AsyncDisposableStack,
): Promise<Operator> {
  const port = await freeTcpPort("127.0.0.1", 9100);
  const plan = {
    name: "operator",
    command: process.execPath,
    args: [join(house.root, "operator/src/main.ts")],
    env: {
      STROWGER_FILES: house.options.examples,
      STROWGER_MYSQL_URL: database.operatorUrl,
      STROWGER_DATA: operatorFolder(house.folder),
      STROWGER_HTTP: `127.0.0.1:${port}`,
      STROWGER_LOG_LEVEL: "info",
    },
    logFile: join(house.folder, "logs", "operator.log"),
    patienceMs: 10_000,
  };
  const operator = { child: cellar.use(new Child(plan, house.say)), httpUrl: `http://127.0.0.1:${port}` };
  const answer = await waitFor(
    async () => {
      if (!operator.child.isRunning) return false;
      return (await isReady(operator.httpUrl)) ? true : undefined;
    },
    readyPatienceMs,
    house.stop,
  );
  if (answer !== true) {
    const what =
      answer === false ? "The operator ended" : `The operator is not ready after ${readyPatienceMs / 1000} s`;
    throw new Fault(`${what}; its last lines (${plan.logFile}):\n${await operator.child.lastWords()}`);
  }
  operator.child.keepAlive();
  return operator;
}
