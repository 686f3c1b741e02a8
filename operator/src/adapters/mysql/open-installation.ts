/** The way from an address to an installation that can be written: migrate, then take over. Tried when it is needed, until it went well. */
import type { Database } from "./database.ts";
import { takeInstallation, type Installation } from "./installation.ts";
import { migrate, type MigrationReport } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

/** Returns what gives the installation; `onOpen` hears once what the migrations found. Failures are those of `migrate`. */
export function openInstallation(
  database: Database,
  name: string,
  onOpen: (report: MigrationReport) => void,
): () => Promise<Installation> {
  let opening: Promise<Installation> | undefined;
  const open = async (): Promise<Installation> => {
    const report = await migrate(database, await readMigrations());
    const installation = await takeInstallation(database, name);
    onOpen(report);
    return installation;
  };
  return () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
}
