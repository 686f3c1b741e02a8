// The import rules of docs/ARCHITECTURE.md. `test/guards/import-rules.test.ts` plants a violation of each.
const node = "^sip-node/src/";
const operator = "^operator/src/";
const tests = "\\.test\\.ts$";

/** Each folder of the SIP node and the folders that it may import. Everything else under sip-node/src is refused. */
const nodeFolders = {
  wire: [],
  transaction: ["wire"],
  auth: ["wire"],
  location: ["wire"],
  leases: ["wire"],
  cluster: ["wire", "leases"],
  overload: ["wire"],
  registrar: ["wire", "auth", "location"],
  proxy: ["wire", "auth", "location"],
  telemetry: ["wire"],
  config: ["wire", "auth"],
  core: ["wire", "transaction", "auth", "location", "cluster", "overload", "registrar", "proxy", "telemetry"],
};

const shared = ["ownership.ts", "references.ts", "installations.ts", "sources/types.ts"];
const kindImports = ["runtime", "installations", "adapters/mysql", ...shared];

/** Each folder or file of the operator and the folders and files that it may import. Everything else under operator/src is refused. */
const operatorFolders = {
  runtime: [],
  "ownership.ts": ["runtime"],
  "tenants.ts": ["runtime"],
  "references.ts": ["runtime", "sources/types.ts"],
  "installations.ts": ["runtime", "adapters/mysql"],
  "config.ts": ["runtime", "adapters/mysql"],
  names: ["runtime", "ownership.ts"],
  "adapters/http": [],
  "adapters/kube": ["runtime"],
  "adapters/mysql": ["runtime", "ownership.ts"],
  "adapters/probe": [],
  sources: ["runtime", "adapters/kube"],
  "sources/files": ["runtime", "sources/types.ts", "sources/definitions.ts"],
  "sources/kubernetes": ["runtime", "adapters/kube", "sources/types.ts", "sources/definitions.ts"],
  installations: ["runtime", "adapters/mysql", "adapters/kube", ...shared],
  "sip-cluster": [...kindImports, "config.ts", "adapters/kube", "adapters/probe"],
  "sip-domain": [...kindImports, "names", "tenants.ts"],
  "sip-user": [...kindImports, "names", "tenants.ts"],
  telemetry: ["runtime", "adapters/kube", "sources"],
};

const patternOf = (place) => (place.endsWith(".ts") ? `${place.replace(".", "\\.")}$` : `${place}/`);

/** One rule for each row of a table. */
const folderRules = (program, source, table) =>
  Object.entries(table).map(([place, allowed]) => ({
    name: `${program}-${place.replace("/", "-")}`,
    severity: "error",
    comment: `${place} imports ${allowed.length === 0 ? "no other folder" : allowed.join(", ")}`,
    from: { path: `${source}${patternOf(place)}`, pathNot: tests },
    to: { path: source, pathNot: `${source}(${[place, ...allowed].map(patternOf).join("|")})` },
  }));

const libraries = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"];

const libraryFree = {
  name: "node-folders-without-libraries",
  severity: "error",
  comment: "only adapters, telemetry, config and process import libraries",
  from: {
    path: `${node}(wire|transaction|auth|location|leases|cluster|overload|registrar|proxy|core)/`,
    pathNot: tests,
  },
  to: { dependencyTypes: libraries },
};

const configLibraries = {
  name: "node-config-libraries",
  severity: "error",
  comment: "config imports ajv and no other library",
  from: { path: `${node}config/`, pathNot: tests },
  to: { dependencyTypes: libraries, pathNot: "node_modules/ajv/" },
};

const operatorLibraryFree = {
  name: "operator-folders-without-libraries",
  severity: "error",
  comment: "only adapters, telemetry, sources and the files of the process import libraries",
  from: { path: `${operator}(runtime|names|installations|sip-cluster|sip-domain|sip-user)/`, pathNot: tests },
  to: { dependencyTypes: libraries },
};

export default {
  forbidden: [
    ...folderRules("node", node, nodeFolders),
    ...folderRules("operator", operator, operatorFolders),
    libraryFree,
    operatorLibraryFree,
    configLibraries,
    {
      name: "node-adapters",
      severity: "error",
      comment: "adapters may import types of the folders they serve, never a folder that decides",
      from: { path: `${node}adapters/`, pathNot: tests },
      to: { path: `${node}(registrar|proxy|transaction|core|process)/|${node}main\\.ts$` },
    },
    {
      name: "programs-are-separate",
      severity: "error",
      comment: "SQL is the contract between the two programs",
      from: { path: "^(sip-node|operator)/" },
      to: { path: "^(sip-node|operator|cli)/", pathNot: "^$1/" },
    },
    {
      name: "cli",
      severity: "error",
      comment: "the cli may import the operator's sources and adapters/mysql, nothing else",
      from: { path: "^cli/" },
      to: { path: "^(sip-node|operator)/src/", pathNot: `${operator}(sources|adapters/mysql)/` },
    },
    {
      name: "mysql2-in-one-place",
      severity: "error",
      comment: "mysql2 only under adapters/mysql",
      from: { path: "^(sip-node|operator|cli)/src/", pathNot: "/adapters/mysql/" },
      to: { path: "node_modules/mysql2" },
    },
    {
      name: "kubernetes-client-in-one-place",
      severity: "error",
      comment: "@kubernetes/client-node only under the operator's adapters/kube",
      from: { path: "^(sip-node|operator|cli)/src/", pathNot: `${operator}adapters/kube/` },
      to: { path: "node_modules/@kubernetes/client-node" },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(charts|crds|schema)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      extensions: [".ts", ".mjs", ".js", ".json"],
      conditionNames: ["import", "node", "default"],
    },
  },
};
