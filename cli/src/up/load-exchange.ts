/** Reads the folder of YAML by the operator's own reader, before anything starts, so that all mistakes come in one report. */
import { join } from "node:path";
import { GeneratedSecrets } from "../../../operator/src/sources/files/generated-secrets.ts";
import { report } from "../../../operator/src/sources/files/problem.ts";
import { readObjects } from "../../../operator/src/sources/files/read-objects.ts";
import { readExchange, type Exchange } from "./exchange.ts";
import { Fault } from "./fault.ts";

/** `data` is the folder that the exchange has its data in, once there is one. Throws Fault with every problem found. */
export async function loadExchange(folder: string, data?: string): Promise<Exchange> {
  const { objects, problems } = await readObjects(folder);
  if (problems.length > 0) {
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    throw new Fault(`The YAML in ${folder} has ${count}:\n${report(problems)}`);
  }
  return readExchange(objects, data === undefined ? new Map() : await generatedPasswords(data));
}

/** By namespace/name of the Secret. */
async function generatedPasswords(data: string): Promise<ReadonlyMap<string, string>> {
  const secrets = await new GeneratedSecrets(operatorFolder(data)).all();
  return new Map([...secrets].map(([key, secret]) => [key, secret.data["password"] ?? ""]));
}

/** Where the operator keeps the passwords that it generates. */
export const operatorFolder = (data: string): string => join(data, "operator");
