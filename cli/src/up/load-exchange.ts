/** Reads the folder of YAML with the operator's reader before the start, so that all problems are in one report. */
import { join } from "node:path";
import { GeneratedSecrets } from "../../../operator/src/sources/files/generated-secrets.ts";
import { report } from "../../../operator/src/sources/files/problem.ts";
import { readObjects } from "../../../operator/src/sources/files/read-objects.ts";
import { readExchange, type Exchange } from "./exchange.ts";
import { StartupError } from "./startup-error.ts";

/** `data` is the exchange's data folder, if it exists; it has the generated passwords. Throws StartupError with all problems. */
export async function loadExchange(folder: string, data?: string): Promise<Exchange> {
  const { objects, problems } = await readObjects(folder);
  if (problems.length > 0) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    throw new StartupError(`The YAML in ${folder} has ${count}:\n${report(problems)}`);
  }
  return readExchange(objects, data === undefined ? new Map() : await generatedPasswords(data));
}

/** The keys are namespace/name of the Secrets. */
async function generatedPasswords(data: string): Promise<ReadonlyMap<string, string>> {
  const secrets = await new GeneratedSecrets(operatorFolder(data)).all();
  return new Map([...secrets].map(([key, secret]) => [key, secret.data["password"] ?? ""]));
}

/** The folder in which the operator stores the passwords that it generates. */
export const operatorFolder = (data: string): string => join(data, "operator");
