/** A next version for tests of upgrades and rollbacks: one migration adds a column, the next one removes a column that this version uses. */
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { schemaRange } from "../../../sip-node/src/adapters/mysql/node-table.ts";

/** The number of this version's last migration. */
export const newest = schemaRange.max;
const label = (number: number, name: string): string => `${String(number).padStart(4, "0")}-${name}`;
export const additive = label(newest + 1, "zone");
/** It serves programs that know `additive`. */
export const breaking = label(newest + 2, "no-version");

export class NextVersion implements AsyncDisposable {
  /** The folder with its programs and its `schema/`. */
  readonly checkout: string;

  private constructor(checkout: string) {
    this.checkout = checkout;
  }

  static async make(): Promise<NextVersion> {
    const here = join(import.meta.dirname, "../../..");
    const checkout = await mkdtemp(join(tmpdir(), "strowger-next-"));
    for (const part of ["operator", "crds", "schema", "package.json"])
      await cp(join(here, part), join(checkout, part), { recursive: true });
    await symlink(join(here, "node_modules"), join(checkout, "node_modules"));
    const migrations = {
      [`${additive}.sql`]: "ALTER TABLE strowger_node ADD COLUMN zone CHAR(9) NOT NULL DEFAULT '';\n",
      [`${breaking}.sql`]: `-- serves from: ${newest + 1}\nALTER TABLE strowger_node DROP COLUMN version;\n`,
    };
    for (const [name, text] of Object.entries(migrations))
      await writeFile(join(checkout, "schema", name), text);
    return new NextVersion(checkout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.checkout, { recursive: true });
  }
}
