/** Reads the folder of YAML before anything starts, by the operator's own reader, so that all mistakes come in one report. */
import { readObjects } from "../../../operator/src/sources/files/read-objects.ts";
import { report } from "../../../operator/src/sources/files/problem.ts";
import { readExchange, type Exchange } from "./exchange.ts";
import { Fault } from "./fault.ts";

/** Throws Fault with every problem found. */
export async function loadExchange(folder: string): Promise<Exchange> {
  const { objects, problems } = await readObjects(folder);
  if (problems.length === 0) return readExchange(objects);
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  throw new Fault(`The YAML in ${folder} has ${count}:\n${report(problems)}`);
}
