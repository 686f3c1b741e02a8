/** The version after this one, for tests of upgrades and of the way back: 0006 adds, 0007 takes away what programs before 6 use. */
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class NextVersion implements AsyncDisposable {
  /** Its programs, with its `schema/`. */
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
      "0006-zone.sql": "ALTER TABLE strowger_node ADD COLUMN zone CHAR(9) NOT NULL DEFAULT '';\n",
      "0007-no-version.sql": "-- serves from: 6\nALTER TABLE strowger_node DROP COLUMN version;\n",
    };
    for (const [name, text] of Object.entries(migrations))
      await writeFile(join(checkout, "schema", name), text);
    return new NextVersion(checkout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.checkout, { recursive: true });
  }
}
