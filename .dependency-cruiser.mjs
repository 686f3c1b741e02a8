// The walls of docs/ARCHITECTURE.md as rules. `test/guards/walls.test.ts` plants a breach of each and sees it fail.
const node = "^sip-node/src/";
const operator = "^operator/src/";
const tests = "\\.test\\.ts$";

/** A room of the SIP node and the rooms it may import; everything else under sip-node/src is refused. */
const rooms = {
  wire: [],
  transaction: ["wire"],
  auth: ["wire"],
  location: ["wire"],
  cluster: ["wire"],
  registrar: ["wire", "auth", "location"],
  proxy: ["wire", "auth", "location"],
  telemetry: ["wire"],
  config: ["wire", "auth"],
  core: ["wire", "transaction", "auth", "location", "cluster", "registrar", "proxy", "telemetry"],
};

const roomWalls = Object.entries(rooms).map(([room, allowed]) => ({
  name: `node-${room}`,
  severity: "error",
  comment: `${room} imports ${allowed.length === 0 ? "no other room" : allowed.join(", ")}`,
  from: { path: `${node}${room}/`, pathNot: tests },
  to: { path: node, pathNot: `${node}(${[room, ...allowed].join("|")})/` },
}));

const libraries = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"];

const libraryFree = {
  name: "node-rooms-without-libraries",
  severity: "error",
  comment: "only adapters, telemetry, config and the process import libraries",
  from: {
    path: `${node}(wire|transaction|auth|location|cluster|registrar|proxy|core)/`,
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

export default {
  forbidden: [
    ...roomWalls,
    libraryFree,
    configLibraries,
    {
      name: "node-adapters",
      severity: "error",
      comment: "adapters may import types of the rooms they serve, never a deciding room",
      from: { path: `${node}adapters/`, pathNot: tests },
      to: { path: `${node}(registrar|proxy|transaction|core|process)/|${node}main\\.ts$` },
    },
    {
      name: "programs-apart",
      severity: "error",
      comment: "SQL is the contract between the two programs",
      from: { path: "^(sip-node|operator)/" },
      to: { path: "^(sip-node|operator|cli)/", pathNot: "^$1/" },
    },
    {
      name: "cli-as-a-user",
      severity: "error",
      comment: "the cli may import the operator's sources and adapters/mysql, nothing else",
      from: { path: "^cli/" },
      to: { path: "^(sip-node|operator)/src/", pathNot: `${operator}(sources|adapters/mysql)/` },
    },
    {
      name: "operator-runtime-knows-no-kind",
      severity: "error",
      comment: "runtime knows no SIP and no SQL",
      from: { path: `${operator}runtime/`, pathNot: tests },
      to: { path: operator, pathNot: `${operator}runtime/` },
    },
    {
      name: "operator-kinds-apart",
      severity: "error",
      comment: "a kind's folder never imports another kind's",
      from: { path: `${operator}(sip-cluster|sip-domain|sip-user)/`, pathNot: tests },
      to: { path: `${operator}(sip-cluster|sip-domain|sip-user)/`, pathNot: `${operator}$1/` },
    },
    {
      name: "operator-adapters",
      severity: "error",
      comment: "adapters serve the kinds; they import no controller",
      from: { path: `${operator}adapters/`, pathNot: tests },
      to: { path: `${operator}(.*/(controller|apply)|main)\\.ts$` },
    },
    {
      name: "mysql2-in-one-place",
      severity: "error",
      comment: "mysql2 only under adapters/mysql",
      from: { path: "^(sip-node|operator|cli)/src/", pathNot: "/adapters/mysql/" },
      to: { path: "node_modules/mysql2" },
    },
    {
      name: "kubernetes-client-in-two-places",
      severity: "error",
      comment: "@kubernetes/client-node only under the operator's runtime and adapters/kube",
      from: { path: "^(sip-node|operator|cli)/src/", pathNot: `${operator}(runtime|adapters/kube)/` },
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
