/**
 * The generated files of the chart: its README from the comments of values.yaml, and its copies of `crds/`.
 * `node test/parts/chart/generated-files.ts --write` writes them; chart.test.ts fails if one is out of date.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isMap, isScalar, type Pair, parseDocument } from "yaml";

const checkout = resolve(import.meta.dirname, "../../..");
const copies = "charts/strowger/files/crds";

/** The text of every generated file; the keys are paths from the root. */
function generatedFiles(root = checkout): ReadonlyMap<string, string> {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const definitions = readdirSync(join(root, "crds")).filter((name) => name.endsWith(".yaml"));
  return new Map([
    ["charts/strowger/README.md", chartReadme(read("charts/strowger/values.yaml"))],
    ...definitions.map((name) => [`${copies}/${name}`, read(`crds/${name}`)] as const),
  ]);
}

/** The files that are out of date, or that are not generated any more; paths from the root. */
export function staleFiles(root = checkout): string[] {
  const files = generatedFiles(root);
  const stale = [...files].filter(([path, text]) => readOrNothing(join(root, path)) !== text);
  return [...stale.map(([path]) => path), ...unknownFiles(root, files)];
}

interface Value {
  /** `image.tag`. */
  readonly path: string;
  /** The default as JSON. */
  readonly fallback: string;
  readonly meaning: string;
}

/** Every value whose comment begins with `--`, in the order of the file. */
export function documentedValues(text: string): Value[] {
  const { contents } = parseDocument(text);
  return isMap(contents) ? contents.items.flatMap((pair) => valuesOf(pair, "")) : [];
}

function valuesOf(pair: Pair, prefix: string): Value[] {
  if (!isScalar(pair.key)) return [];
  const path = `${prefix}${String(pair.key.value)}`;
  // The parser assigns a comment above the first key of a map to the map.
  const above = pair.key.commentBefore ?? (isMap(pair.value) ? undefined : "");
  const meaning = /(?:^|\n) -- ([\s\S]*)$/.exec(above ?? "")?.[1]?.replace(/\n /g, " ");
  if (meaning !== undefined) return [{ path, fallback: JSON.stringify(toJson(pair)), meaning }];
  const { value } = pair;
  if (!isMap(value)) return [];
  const [first, ...rest] = value.items;
  if (first !== undefined && isScalar(first.key)) first.key.commentBefore ??= value.commentBefore ?? "";
  return [first, ...rest].flatMap((inner) => (inner === undefined ? [] : valuesOf(inner, `${path}.`)));
}

const toJson = ({ value }: Pair): unknown => (value as { toJSON(): unknown } | null)?.toJSON() ?? null;

function chartReadme(values: string): string {
  const rows = documentedValues(values).map(
    ({ path, fallback, meaning }) => `| \`${path}\` | \`${fallback}\` | ${meaning.replaceAll("|", "\\|")} |`,
  );
  return `# The chart \`strowger\`

Generated from \`values.yaml\` by \`node test/parts/chart/generated-files.ts --write\`; do not edit.

The chart installs the operator, the CRDs SipCluster, SipDomain and SipUser, and their roles. Optional are a Grafana dashboard, alerts and
PodMonitors. It installs no exchange: create a SipCluster for that. [docs/install.md](../../docs/install.md) describes the way from an empty
cluster to the first call.

\`\`\`
helm install strowger charts/strowger --namespace strowger-system --create-namespace
helm test strowger --namespace strowger-system --logs
\`\`\`

Kubernetes 1.32 or newer is required. \`helm uninstall\` first stops the operator and releases its finalizers. CRDs, objects, rows and SIP
nodes stay.

## Values

| value | default | meaning |
|---|---|---|
${rows.join("\n")}
`;
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const unknownFiles = (root: string, files: ReadonlyMap<string, string>): string[] =>
  readdirSync(join(root, copies))
    .map((name) => `${copies}/${name}`)
    .filter((path) => !files.has(path));

if (import.meta.main && process.argv.includes("--write")) {
  const files = generatedFiles();
  for (const [path, text] of files) writeFileSync(join(checkout, path), text);
  for (const path of unknownFiles(checkout, files)) rmSync(join(checkout, path));
}
