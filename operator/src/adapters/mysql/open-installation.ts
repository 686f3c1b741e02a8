/** Opens an installation for writing: migrates the database and takes it. */
import type { Database } from "./database.ts";
import { takeInstallation, type Installation } from "./installation.ts";
import { migrate, type MigrationReport } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

/** Returns a function that opens the installation at the first call; after a failure the next call tries again. Throws what `migrate` throws. */
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
