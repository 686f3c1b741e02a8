// Types-aware lint, and the wall that keeps the pure rooms pure: no await, clock, chance, environment or socket (docs/ARCHITECTURE.md).
import tseslint from "typescript-eslint";
import noOpenLookup from "./test/guards/no-open-lookup.mjs";

const pure = [
  "sip-node/src/{wire,transaction,auth}/**/*.ts",
  "operator/src/sip-cluster/manifests/*.ts",
  "sip-node/src/registrar/{contact-changes,make-room}.ts",
  "sip-node/src/proxy/!(proxy|look-ups).ts",
  "{sip-node,operator}/src/**/{plan,decide,build}.ts",
];

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
    message: "A pure room does not await: return a value and let the room's one awaiting file act.",
  },
  {
    selector: "FunctionDeclaration[async=true], ArrowFunctionExpression[async=true]",
    message: "A pure room has no async function.",
  },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: "Pass `now` in." },
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: "Pass `now` in.",
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: "Pass chance in.",
  },
];

const stripped = {
  selector: "TSEnumDeclaration, TSModuleDeclaration",
  message: "Node strips types; it compiles nothing.",
};

/** Each element becomes an argument on the stack: 130,000 of them throw a RangeError. */
const spreadArguments = {
  selector: ":matches(CallExpression, NewExpression) > SpreadElement.arguments",
  message: "A collection is no list of arguments: use a loop, flat() or reduce().",
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

/** The form of an address is text; everything else there is a socket. */
const netForms = {
  name: "node:net",
  allowImportNames: ["isIP", "isIPv4", "isIPv6"],
  message: "This room is pure.",
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
    // A rejection that nobody handles ends these processes; a node's edge counts and logs it.
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
        { object: "process", property: "env", message: "Only config.ts reads the environment." },
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
          message: "Only database-time.ts asks the database for the time.",
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
        ...impureGlobals.map((name) => ({ name, message: "This room is pure." })),
      ],
      "no-restricted-imports": [
        "error",
        { paths: [...impureImports.map((name) => ({ name, message: "This room is pure." })), netForms] },
      ],
      "no-restricted-syntax": ["error", stripped, spreadArguments, ...impureSyntax],
    },
  },
  {
    files: ["**/*.test.ts", "test/**/*.ts"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off", "@typescript-eslint/require-await": "off" },
  },
);
