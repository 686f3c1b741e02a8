// Type-aware lint, and the rules of pure folders: no await, clock, random, environment or socket (docs/ARCHITECTURE.md).
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import tseslint from "typescript-eslint";
import noOpenLookup from "./test/guards/no-open-lookup.mjs";

/** Folders that are pure as a whole, and every other file whose first comment says "Pure.". */
const pure = [
  "sip-node/src/{wire,transaction,auth}/**/*.ts",
  "operator/src/sip-cluster/manifests/*.ts",
  "sip-node/src/proxy/!(proxy|find-caller|find-targets).ts",
  "{sip-node,operator}/src/**/{plan,decide,build}.ts",
  ...globSync("{sip-node,operator,cli}/src/**/*.ts", { cwd: import.meta.dirname }).filter(saysPure),
];

function saysPure(file) {
  const [comment = ""] = /^\/\*\*.*?\*\//s.exec(readFileSync(join(import.meta.dirname, file), "utf8")) ?? [];
  return /\bPure\b/.test(comment);
}

const impureGlobals = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "process",
  "console",
  "fetch",
  "performance",
];

const impureSyntax = [
  {
    selector: "AwaitExpression",
    message: "A pure file must not await: return a value, and let the folder's awaiting file act on it.",
  },
  {
    selector: "FunctionDeclaration[async=true], ArrowFunctionExpression[async=true]",
    message: "A pure file must not have async functions.",
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: "A pure file must not read the clock: pass `now` as a parameter.",
  },
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: "A pure file must not read the clock: pass `now` as a parameter.",
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: "A pure file must not use random numbers: pass them as a parameter.",
  },
];

const stripped = {
  selector: "TSEnumDeclaration, TSModuleDeclaration",
  message: "Node only strips types, so this syntax does not work.",
};

/** Each element becomes an argument on the stack: 130,000 elements throw a RangeError. */
const spreadArguments = {
  selector: ":matches(CallExpression, NewExpression) > SpreadElement.arguments",
  message: "Do not spread a collection into arguments: use a loop, flat() or reduce().",
};

const serverTime =
  "/\\b(NOW|UNIX_TIMESTAMP|FROM_UNIXTIME|CURRENT_TIMESTAMP|UTC_TIMESTAMP|SYSDATE|CURDATE|CURTIME|CURRENT_DATE|LOCALTIME)\\b/";

const impureImports = [
  "node:fs",
  "node:fs/promises",
  "node:dgram",
  "node:http",
  "node:child_process",
  "node:timers",
  "node:timers/promises",
  "node:os",
  "node:process",
];

/** Only the checks of an address's syntax are allowed; the rest of node:net is sockets. */
const netForms = {
  name: "node:net",
  allowImportNames: ["isIP", "isIPv4", "isIPv6"],
  message: "This file must be pure.",
};

export default tseslint.config(
  { ignores: ["**/node_modules/**", ".strowger/**"] },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ["**/*.ts"] })),
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-restricted-syntax": ["error", stripped],
      eqeqeq: "error",
    },
  },
  {
    files: ["{operator,sip-node,cli}/src/**/*.ts"],
    ignores: ["**/*.test.ts"],
    plugins: { strowger: { rules: { "no-open-lookup": noOpenLookup } } },
    rules: {
      "strowger/no-open-lookup": "error",
      "no-restricted-syntax": ["error", stripped, spreadArguments],
    },
  },
  {
    // An unhandled rejection ends these processes; a node counts and logs it instead.
    files: ["{operator,cli}/src/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: { "@typescript-eslint/no-floating-promises": ["error", { ignoreVoid: false }] },
  },
  {
    files: ["operator/src/**/*.ts", "sip-node/src/**/*.ts"],
    ignores: ["**/config.ts", "**/main.ts", "**/*.test.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only config.ts may read the environment." },
      ],
    },
  },
  {
    files: ["{operator,sip-node}/src/adapters/mysql/**/*.ts"],
    ignores: ["**/database-time.ts", "**/*.test.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        stripped,
        spreadArguments,
        {
          selector: `TemplateElement[value.raw=${serverTime}], Literal[value=${serverTime}]`,
          message: "Only database-time.ts may use the database's clock.",
        },
      ],
    },
  },
  {
    files: pure,
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...impureGlobals.map((name) => ({ name, message: "This file must be pure." })),
      ],
      "no-restricted-imports": [
        "error",
        { paths: [...impureImports.map((name) => ({ name, message: "This file must be pure." })), netForms] },
      ],
      "no-restricted-syntax": ["error", stripped, spreadArguments, ...impureSyntax],
    },
  },
  {
    files: ["**/*.test.ts", "test/**/*.ts"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off", "@typescript-eslint/require-await": "off" },
  },
);
