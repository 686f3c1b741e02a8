/**
 * The guards guard: every wall of `.dependency-cruiser.mjs` fails on a breach planted in a copy of the tree, the cruise sees every file, and
 * the lint keeps pure rooms pure. A new wall needs a breach here.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const programs = ["operator", "sip-node", "cli"];

/** The wall, the file that breaks it, and what that file says. A file that exists gets the line at its end. */
const breaches: readonly (readonly [wall: string, file: string, line: string])[] = [
  ["node-wire", "sip-node/src/wire/planted.ts", 'import "../auth/digest.ts";'],
  ["node-transaction", "sip-node/src/transaction/planted.ts", 'import "../proxy/via-branch.ts";'],
  [
    "node-auth",
    "sip-node/src/auth/planted.ts",
    'import type { Account } from "../location/account.ts"; export type A = Account;',
  ],
  ["node-location", "sip-node/src/location/planted.ts", 'import "../auth/digest.ts";'],
  ["node-cluster", "sip-node/src/cluster/planted.ts", 'import "../location/account.ts";'],
  ["node-registrar", "sip-node/src/registrar/planted.ts", 'import "../proxy/via-branch.ts";'],
  ["node-proxy", "sip-node/src/proxy/planted.ts", 'import "../transaction/transactions.ts";'],
  ["node-telemetry", "sip-node/src/telemetry/planted.ts", 'import "../proxy/via-branch.ts";'],
  ["node-config", "sip-node/src/config/planted.ts", 'import "../adapters/clock.ts";'],
  ["node-rooms-without-libraries", "sip-node/src/proxy/planted-library.ts", 'import "pino";'],
  ["node-config-libraries", "sip-node/src/config/planted-library.ts", 'import "pino";'],
  ["node-adapters", "sip-node/src/adapters/planted.ts", 'import "../registrar/plan.ts";'],
  ["node-core", "sip-node/src/core/node.ts", 'import "../adapters/clock.ts";'],
  ["programs-apart", "sip-node/src/planted.ts", 'import "../../operator/src/ownership.ts";'],
  ["programs-apart", "operator/src/planted.ts", 'import "../../sip-node/src/wire/units.ts";'],
  ["cli-as-a-user", "cli/src/planted.ts", 'import "../../operator/src/runtime/clock.ts";'],
  ["cli-as-a-user", "cli/src/planted-too.ts", 'import "../../sip-node/src/wire/units.ts";'],
  ["operator-runtime-knows-no-kind", "operator/src/runtime/planted.ts", 'import "../sip-user/decide.ts";'],
  ["operator-kinds-apart", "operator/src/sip-user/planted.ts", 'import "../sip-domain/decide.ts";'],
  ["operator-adapters", "operator/src/adapters/planted.ts", 'import "../sip-user/controller.ts";'],
  ["mysql2-in-one-place", "operator/src/sip-user/planted-mysql.ts", 'import "mysql2/promise";'],
  ["mysql2-in-one-place", "cli/src/planted-mysql.ts", 'import "mysql2/promise";'],
  [
    "kubernetes-client-in-two-places",
    "operator/src/sip-cluster/planted-client.ts",
    'import "@kubernetes/client-node";',
  ],
  ["no-circles", "operator/src/planted-circle.ts", 'import "./planted-circle-too.ts";'],
  ["no-unresolved", "cli/src/planted-nowhere.ts", 'import "./nowhere.ts";'],
];

/** Impurities of a pure room, each in a file of its own, with the rule that has to see it. */
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
  copy = mkdtempSync(join(tmpdir(), "strowger-walls-"));
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
    // a file of the breach's own
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

describe("import walls", () => {
  let cruise: Cruise;
  beforeAll(() => {
    for (const [, file, line] of breaches) plant(file, line);
    plant("operator/src/planted-circle-too.ts", 'import "./planted-circle.ts";'); // a circle is told of one of its files
    const args = ["--config", ".dependency-cruiser.mjs", "--output-type", "json", ...programs];
    cruise = JSON.parse(run("dependency-cruiser/bin/dependency-cruise.mjs", args)) as Cruise;
  }, 30_000);

  it.each(breaches)("%s fails on %s", (wall, file) => {
    const isIts = (from: string): boolean =>
      from === file || from === file.replace("circle.ts", "circle-too.ts");
    expect(
      cruise.summary.violations.filter(({ from }) => isIts(from)).map(({ rule }) => rule.name),
    ).toContain(wall);
  });

  it("every wall has its breach", async () => {
    const config = (await import(join(root, ".dependency-cruiser.mjs"))) as {
      default: { forbidden: readonly { name: string }[] };
    };
    expect(new Set(breaches.map(([wall]) => wall))).toEqual(
      new Set(config.default.forbidden.map(({ name }) => name)),
    );
  });

  it("the cruise sees every file", () => {
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

describe("the purity of rooms", () => {
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
