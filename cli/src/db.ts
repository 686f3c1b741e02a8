/** `strowger db`: creates a database, migrates it to this version's schema, or prints its status. */
import { Command } from "commander";
import { Database } from "../../operator/src/adapters/mysql/database.ts";
import {
  describeAddress,
  parseDatabaseUrl,
  type DatabaseAddress,
} from "../../operator/src/adapters/mysql/database-url.ts";
import {
  createDatabase,
  migrate,
  schemaStatus,
  type MigrationStatus,
} from "../../operator/src/adapters/mysql/migrate.ts";
import { readMigrations } from "../../operator/src/adapters/mysql/migration-files.ts";
import { describeWait } from "../../operator/src/adapters/mysql/schema-now.ts";

export const db = new Command("db").description("create, migrate or inspect the database");

db.command("create")
  .description("create the database if it does not exist, then migrate it")
  .option("--url <url>", "mysql://user:password@host:port/database (default: DATABASE_URL)")
  .action((options: { readonly url?: string }) =>
    withDatabase(options.url, async (address) => {
      await using server = new Database(address, { withoutSchema: true });
      await createDatabase(server, address.database);
      await migrateSchema(address);
    }),
  );

db.command("migrate")
  .description("apply the missing migrations; an existing OpenSIPS table is not changed")
  .option("--url <url>", "mysql://user:password@host:port/database (default: DATABASE_URL)")
  .action((options: { readonly url?: string }) => withDatabase(options.url, migrateSchema));

db.command("status")
  .description("print which migrations are applied")
  .option("--url <url>", "mysql://user:password@host:port/database (default: DATABASE_URL)")
  .action((options: { readonly url?: string }) => withDatabase(options.url, printStatus));

async function migrateSchema(address: DatabaseAddress): Promise<void> {
  await using database = new Database(address);
  const { server, applied, waits, installationId, warnings } = await migrate(
    database,
    await readMigrations(),
  );
  print(`${describeAddress(address)} on ${server.product} ${server.version}`);
  if (applied.length > 0) print(`applied ${applied.join(", ")}`);
  else if (waits === undefined) print("up to date, nothing to do");
  if (waits !== undefined) {
    print(describeWait(waits));
    process.exitCode = 1; // the schema is not up to date
  }
  print(`installation ${installationId}`);
  for (const warning of warnings) print(`warning: ${warning}`);
}

async function printStatus(address: DatabaseAddress): Promise<void> {
  await using database = new Database(address);
  const { server, migrations, waits, installationId, warnings } = await schemaStatus(
    database,
    await readMigrations(),
  );
  print(`${describeAddress(address)} on ${server.product} ${server.version}`);
  for (const migration of migrations) print(describeMigration(migration));
  if (waits !== undefined) print(describeWait(waits));
  print(`installation ${installationId ?? "none yet"}`);
  for (const warning of warnings) print(`warning: ${warning}`);
}

const describeMigration = ({ name, state, servesFrom }: MigrationStatus): string =>
  `${name}: ${state === "newer" ? "of a newer version" : state}${servesFrom > 1 ? `, serves programs that know ${servesFrom} or later` : ""}`;

/** Runs `work`. Any failure becomes one line on standard error and exit status 1. */
async function withDatabase(
  url: string | undefined,
  work: (address: DatabaseAddress) => Promise<void>,
): Promise<void> {
  const address = parseDatabaseUrl(url ?? process.env["DATABASE_URL"] ?? "");
  const problem = "problem" in address ? `--url or DATABASE_URL ${address.problem}` : undefined;
  try {
    if (!("problem" in address)) return await work(address);
  } catch (error) {
    process.stderr.write(`strowger db: ${(error as Error).message}\n`);
  }
  if (problem !== undefined) process.stderr.write(`strowger db: ${problem}\n`);
  process.exitCode = 1;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
