/** Reads the folder of YAML before anything starts, so that all mistakes come in one report. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { readExchange, type Exchange, type YamlObject } from "./exchange.ts";
import { Fault } from "./fault.ts";

/** Throws Fault with every problem found. */
export async function loadExchange(folder: string): Promise<Exchange> {
  if (!existsSync(folder)) throw new Fault(`--examples ${folder}: there is no such folder`);
  const files = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
  const objects: YamlObject[] = [];
  for (const file of files) {
    for (const document of parseAllDocuments(await readFile(join(folder, file), "utf8"))) {
      const object = document.toJS() as YamlObject | null;
      if (object) objects.push(object);
    }
  }
  return readExchange(objects);
}
