/**
 * Tests of the guards. Every rule of `.dependency-cruiser.mjs` reports a violation that is planted in a copy of the tree, dependency-cruiser
 * reads every file, and ESLint keeps pure folders pure. A new import rule needs a violation here.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const programs = ["operator", "sip-node", "cli"];

/** The rule, the file that violates it, and the line with the violation. An existing file gets the line at its end. */
const violations: readonly (readonly [rule: string, file: string, line: string])[] = [
  ["node-wire", "sip-node/src/wire/planted.ts", 'import "../auth/digest.ts";'],
  ["node-transaction", "sip-node/src/transaction/planted.ts", 'import "../proxy/via-branch.ts";'],
  [
    "node-auth",
    "sip-node/src/auth/planted.ts",
    'import type { Account } from "../location/account.ts"; export type A = Account;',
  ],
  ["node-location", "sip-node/src/location/planted.ts", 'import "../auth/digest.ts";'],
  ["node-leases", "sip-node/src/leases/planted.ts", 'import "../location/account.ts";'],
  ["node-cluster", "sip-node/src/cluster/planted.ts", 'import "../location/account.ts";'],
  ["node-overload", "sip-node/src/overload/planted.ts", 'import "../cluster/lru-list.ts";'],
  ["node-registrar", "sip-node/src/registrar/planted.ts", 'import "../proxy/via-branch.ts";'],
  ["node-proxy", "sip-node/src/proxy/planted.ts", 'import "../transaction/transactions.ts";'],
  ["node-telemetry", "sip-node/src/telemetry/planted.ts", 'import "../proxy/via-branch.ts";'],
  ["node-config", "sip-node/src/config/planted.ts", 'import "../adapters/clock.ts";'],
  ["node-folders-without-libraries", "sip-node/src/proxy/planted-library.ts", 'import "pino";'],
  ["node-config-libraries", "sip-node/src/config/planted-library.ts", 'import "pino";'],
  ["node-adapters", "sip-node/src/adapters/planted.ts", 'import "../registrar/plan.ts";'],
  ["node-core", "sip-node/src/core/node.ts", 'import "../adapters/clock.ts";'],
  ["programs-are-separate", "sip-node/src/planted.ts", 'import "../../operator/src/ownership.ts";'],
  ["programs-are-separate", "operator/src/planted.ts", 'import "../../sip-node/src/wire/units.ts";'],
  ["cli", "cli/src/planted.ts", 'import "../../operator/src/runtime/clock.ts";'],
  ["cli", "cli/src/planted-too.ts", 'import "../../sip-node/src/wire/units.ts";'],
  ["operator-runtime", "operator/src/runtime/planted.ts", 'import "../ownership.ts";'],
  ["operator-ownership.ts", "operator/src/ownership.ts", 'import "./tenants.ts";'],
  ["operator-tenants.ts", "operator/src/tenants.ts", 'import "./ownership.ts";'],
  ["operator-references.ts", "operator/src/references.ts", 'import "./ownership.ts";'],
  ["operator-installations.ts", "operator/src/installations.ts", 'import "./ownership.ts";'],
  ["operator-config.ts", "operator/src/config.ts", 'import "./ownership.ts";'],
  ["operator-names", "operator/src/names/planted.ts", 'import "../tenants.ts";'],
  ["operator-adapters-http", "operator/src/adapters/http/planted.ts", 'import "../mysql/database.ts";'],
  ["operator-adapters-kube", "operator/src/adapters/kube/planted.ts", 'import "../mysql/database.ts";'],
  ["operator-adapters-mysql", "operator/src/adapters/mysql/planted.ts", 'import "../../tenants.ts";'],
  ["operator-adapters-probe", "operator/src/adapters/probe/planted.ts", 'import "../mysql/database.ts";'],
  ["operator-sources", "operator/src/sources/planted.ts", 'import "../ownership.ts";'],
  [
    "operator-sources-files",
    "operator/src/sources/files/planted.ts",
    'import "../../adapters/kube/kube-client.ts";',
  ],
  [
    "operator-sources-kubernetes",
    "operator/src/sources/kubernetes/planted.ts",
    'import "../files/files-source.ts";',
  ],
  ["operator-installations", "operator/src/installations/planted.ts", 'import "../tenants.ts";'],
  ["operator-sip-cluster", "operator/src/sip-cluster/planted.ts", 'import "../sip-domain/decide.ts";'],
  ["operator-sip-domain", "operator/src/sip-domain/planted.ts", 'import "../sip-user/decide.ts";'],
  ["operator-sip-user", "operator/src/sip-user/planted.ts", 'import "../sip-domain/decide.ts";'],
  [
    "operator-telemetry",
    "operator/src/telemetry/planted.ts",
    'import "../installations/cluster-installations.ts";',
  ],
  ["operator-folders-without-libraries", "operator/src/names/planted-library.ts", 'import "pino";'],
  ["mysql2-in-one-place", "operator/src/sip-user/planted-mysql.ts", 'import "mysql2/promise";'],
  ["mysql2-in-one-place", "cli/src/planted-mysql.ts", 'import "mysql2/promise";'],
  [
    "kubernetes-client-in-one-place",
    "operator/src/sip-cluster/planted-client.ts",
    'import "@kubernetes/client-node";',
  ],
  ["no-circles", "operator/src/planted-circle.ts", 'import "./planted-circle-too.ts";'],
  ["no-unresolved", "cli/src/planted-nowhere.ts", 'import "./nowhere.ts";'],
];

/** Violations of purity, each in a file of its own, with the ESLint rule that must report it. */
const impurities: readonly (readonly [file: string, code: string, rule: string])[] = [
  [
    "wire/planted-await.ts",
    "export const f = async (): Promise<void> => await Promise.resolve();",
    "no-restricted-syntax",
  ],
  ["auth/planted-now.ts", "export const f = (): number => Date.now();", "no-restricted-syntax"],
  ["auth/planted-date.ts", "export const f = (): Date => new Date();", "no-restricted-syntax"],
  ["transaction/planted-chance.ts", "export const f = (): number => Math.random();", "no-restricted-syntax"],
  ["transaction/planted-timer.ts", "setTimeout(() => {}, 1);", "no-restricted-globals"],
  ["wire/planted-environment.ts", 'export const f = process.env["HOME"];', "no-restricted-globals"],
  ["wire/planted-console.ts", "console.log(1);", "no-restricted-globals"],
  [
    "auth/planted-files.ts",
    'import { readFileSync } from "node:fs"; export const f = readFileSync;',
    "no-restricted-imports",
  ],
  ["wire/planted-enum.ts", "export enum Planted { A }", "no-restricted-syntax"],
  ["registrar/plan.ts", "export const planted = (): number => Date.now();", "no-restricted-syntax"],
  ["registrar/contact-limit.ts", "export const planted = (): number => Date.now();", "no-restricted-syntax"],
  ["wire/planted-spread.ts", "export const f = (n: number[]) => Math.max(...n);", "no-restricted-syntax"],
  [
    "proxy/response-context.ts",
    "export const planted = async (): Promise<void> => await Promise.resolve();",
    "no-restricted-syntax",
  ],
  [
    "proxy/planted-await.ts",
    "export const f = async (): Promise<void> => await Promise.resolve();",
    "no-restricted-syntax",
  ],
  [
    "proxy/planted-socket.ts",
    'import { createServer } from "node:net"; export const f = createServer;',
    "no-restricted-imports",
  ],
  [
    "adapters/mysql/planted-time.ts",
    'export const f = "SELECT UNIX_TIMESTAMP(NOW(3))";',
    "no-restricted-syntax",
  ],
  [
    "adapters/mysql/planted-time-too.ts",
    "export const f = (n: number) => `SELECT ${n} - UNIX_TIMESTAMP()`;",
    "no-restricted-syntax",
  ],
  ["proxy/planted-environment.ts", 'export const f = process.env["HOME"];', "no-restricted-properties"],
];

const floating = "@typescript-eslint/no-floating-promises";
const handled = "export const f = (work: () => Promise<void>): void => { work().catch(() => undefined); };";

/** What ends a process although it is sound code, and how it is refused; undefined: it is not. */
const fatal: readonly (readonly [file: string, code: string, rule: string | undefined])[] = [
  [
    "sip-node/src/planted-push.ts",
    "export const f = (n: number[]) => [1].push(...n);",
    "no-restricted-syntax",
  ],
  [
    "operator/src/planted-max.ts",
    "export const f = (n: number[]) => Math.max(0, ...n);",
    "no-restricted-syntax",
  ],
  ["cli/src/planted-new.ts", "export const f = (n: number[]) => new Array(...n);", "no-restricted-syntax"],
  ["operator/src/planted-list.ts", "export const f = (n: number[]) => [0, ...n];", undefined],
  ["operator/src/planted-void.ts", "export const f = (p: Promise<void>): void => { void p; };", floating],
  ["cli/src/planted-void.ts", "export const f = (p: Promise<void>): void => { void p; };", floating],
  ["operator/src/planted-catch.ts", handled, undefined],
];

const table = "const table: Record<string, number> = { a: 1 };";

/** Look-ups by any text, each in a file of its own, and how often the lint refuses them. */
const lookups: readonly (readonly [what: string, code: string, refusals: number])[] = [
  ["a key of any text", "export const f = (key: string) => table[key];", 1],
  ["a key of any type", "export const f = (key: any) => table[key];", 1],
  ["a key that may be any text", "export const f = (key: string | number) => table[key];", 1],
  ["a key of a generic type", "export const f = <K extends string>(key: K) => table[key];", 1],
  ["a key put together", "export const f = (key: string) => table[`x-${key}`];", 1],
  ["an assignment", "export const f = (key: string) => { table[key] = 1; };", 1],
  ["in", "export const f = (key: string) => key in table;", 1],
  ["destructuring", "export const f = (key: string) => { const { [key]: x } = table; return x; };", 1],
  [
    "a guard for another key",
    "export const f = (k: string, l: string) => (Object.hasOwn(table, k) ? table[l] : 0);",
    1,
  ],
  ["closed keys", 'export const f = (key: "a" | "b") => table[key];', 0],
  ["numbers", "export const f = (texts: string[], at: number) => texts[at];", 0],
  ["a guarded look-up", "export const f = (k: string) => (Object.hasOwn(table, k) ? table[k] : 0);", 0],
  ["a removal", "export const f = (key: string) => { delete table[key]; };", 0],
  ["a Map", "export const f = (map: Map<string, number>, key: string) => map.get(key);", 0],
];

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "strowger-import-rules-"));
  const isOurs = (path: string): boolean => !/node_modules|\.strowger/.test(relative(root, path));
  for (const name of [...programs, "test/support"])
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: isOurs });
  for (const name of [
    "test/guards/no-open-lookup.mjs",
    ".dependency-cruiser.mjs",
    "eslint.config.mjs",
    "tsconfig.json",
    "package.json",
  ])
    cpSync(join(root, name), join(copy, name));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}, 20_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function plant(file: string, line: string): void {
  const path = join(copy, file);
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // a new file
  }
  writeFileSync(path, `${text}${line}\n`);
}

/** Standard output of a tool of this repository, run in the copy. */
function run(tool: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, "node_modules", tool), ...args], {
    cwd: copy,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (stdout === "") throw new Error(stderr);
  return stdout;
}

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

describe("import rules", () => {
  let cruise: Cruise;
  beforeAll(() => {
    for (const [, file, line] of violations) plant(file, line);
    plant("operator/src/planted-circle-too.ts", 'import "./planted-circle.ts";'); // a circle is reported at one of its files
    const args = ["--config", ".dependency-cruiser.mjs", "--output-type", "json", ...programs];
    cruise = JSON.parse(run("dependency-cruiser/bin/dependency-cruise.mjs", args)) as Cruise;
  }, 30_000);

  it.each(violations)("%s reports %s", (rule, file) => {
    const isIts = (from: string): boolean =>
      from === file || from === file.replace("circle.ts", "circle-too.ts");
    expect(
      cruise.summary.violations.filter(({ from }) => isIts(from)).map((found) => found.rule.name),
    ).toContain(rule);
  });

  it("every rule has a violation", async () => {
    const config = (await import(join(root, ".dependency-cruiser.mjs"))) as {
      default: { forbidden: readonly { name: string }[] };
    };
    expect(new Set(violations.map(([rule]) => rule))).toEqual(
      new Set(config.default.forbidden.map(({ name }) => name)),
    );
  });

  it("every folder of the operator has a rule", () => {
    const folders = readdirSync(join(root, "operator/src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "adapters")
      .map(({ name }) => `operator-${name}`);
    expect(violations.map(([rule]) => rule)).toEqual(expect.arrayContaining(folders));
  });

  it("dependency-cruiser reads every file", () => {
    const onDisk = programs.flatMap((program) =>
      readdirSync(join(copy, program), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => join(program, file)),
    );
    const seen = cruise.modules
      .map(({ source }) => source)
      .filter((source) => /^(operator|sip-node|cli)\/.*\.ts$/.test(source));
    expect(onDisk.length).toBeGreaterThan(100);
    expect(seen.filter((file) => !/\/nowhere\.ts$/.test(file)).sort()).toEqual(onDisk.sort());
  });
});

describe("pure folders", () => {
  let found: readonly {
    readonly filePath: string;
    readonly messages: readonly { readonly ruleId: string | null }[];
  }[];
  beforeAll(() => {
    const files = impurities.map(([file]) => join("sip-node/src", file));
    for (const [file, code] of impurities) plant(join("sip-node/src", file), code);
    found = JSON.parse(run("eslint/bin/eslint.js", ["--format", "json", ...files])) as typeof found;
  }, 60_000);

  it.each(impurities)("%s: %s", (file, _, rule) => {
    const messages = found.find(({ filePath }) => filePath.endsWith(file))?.messages ?? [];
    expect(messages.map(({ ruleId }) => ruleId)).toContain(rule);
  });

  it("and nothing but what was planted is wrong with a file that was sound", () => {
    const plan = found.find(({ filePath }) => filePath.endsWith("registrar/plan.ts"));
    expect(plan?.messages.map(({ ruleId }) => ruleId)).toEqual(["no-restricted-syntax"]);
  });
});

describe("collections as arguments, promises without a catch", () => {
  let rules: ReadonlyMap<string, readonly (string | null)[]>;
  beforeAll(() => {
    for (const [file, code] of fatal) plant(file, code);
    const files = fatal.map(([file]) => file);
    const found = JSON.parse(run("eslint/bin/eslint.js", ["--format", "json", ...files])) as {
      readonly filePath: string;
      readonly messages: readonly { readonly ruleId: string | null }[];
    }[];
    rules = new Map(
      found.map(({ filePath, messages }) => [
        relative(copy, filePath),
        messages
          .map(({ ruleId }) => ruleId)
          .filter((rule) => rule === floating || rule === "no-restricted-syntax"),
      ]),
    );
  }, 60_000);

  it.each(fatal)("%s: %s", (file, _, rule) => {
    expect(rules.get(file)).toEqual(rule === undefined ? [] : [rule]);
  });
});

describe("tables that are indexed from outside", () => {
  const fileOf = (program: string, at: number): string => `${program}/src/planted-lookup-${at}.ts`;
  let refusals: ReadonlyMap<string, number>;
  beforeAll(() => {
    const files = programs.flatMap((program) => lookups.map((_, at) => fileOf(program, at)));
    for (const program of programs)
      for (const [at, [, code]] of lookups.entries()) plant(fileOf(program, at), `${table}\n${code}`);
    const found = JSON.parse(run("eslint/bin/eslint.js", ["--format", "json", ...files])) as {
      readonly filePath: string;
      readonly messages: readonly { readonly ruleId: string | null }[];
    }[];
    refusals = new Map(
      found.map(({ filePath, messages }) => [
        relative(copy, filePath),
        messages.filter(({ ruleId }) => ruleId === "strowger/no-open-lookup").length,
      ]),
    );
  }, 60_000);

  it.each(lookups)("%s: %s", (what, _, expected) => {
    const at = lookups.findIndex(([name]) => name === what);
    expect(programs.map((program) => refusals.get(fileOf(program, at)))).toEqual(
      programs.map(() => expected),
    );
  });
});
