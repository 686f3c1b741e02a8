/** The chart as helm renders it: golden files, refused values, rights, and that nothing generated is stale. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { badValues } from "./bad-values.ts";
import { documentedValues, staleFiles } from "./generated-files.ts";
import { chartFolder, type ChartManifest, helm, renderChart, type RenderPlan } from "./render-chart.ts";

const golden = join(import.meta.dirname, "golden");
const ci = (name: string) => join(chartFolder, "ci", `${name}-values.yaml`);
const variants: Readonly<Record<string, RenderPlan>> = {
  default: { namespace: "strowger-system" },
  namespaced: { namespace: "team-a", files: [ci("namespaced")] },
  everything: { release: "telephony", namespace: "strowger-system", files: [ci("everything")] },
};
const values = async () => await readFile(join(chartFolder, "values.yaml"), "utf8");

test("README and copies of crds/ are what their sources say (else: node test/parts/chart/generated-files.ts --write)", () => {
  expect(staleFiles()).toEqual([]);
});

test("helm lint finds nothing", async () => {
  for (const { files = [] } of Object.values(variants)) {
    const flags = files.flatMap((file) => ["--values", file]);
    expect(await helm(["lint", "--strict", chartFolder, ...flags])).toContain("0 chart(s) failed");
  }
});

describe("rendered", () => {
  test.each(Object.entries(variants))("%s: as the golden file says", async (name, plan) => {
    const { text } = await renderChart(plan);
    const documents = text.split(/^---$/m).filter((document) => !isElsewhere(document));
    await expect(documents.join("---")).toMatchFileSnapshot(join(golden, `${name}.yaml`));
  });

  test("every object has the labels that Kubernetes recommends", async () => {
    for (const plan of Object.values(variants)) {
      const { manifests } = await renderChart(plan);
      const own = manifests.filter(({ metadata }) => !metadata.name.includes("extra"));
      for (const { kind, metadata } of own) {
        const labels = Object.keys(metadata.labels ?? {});
        for (const label of ["name", "instance", "version", "component", "part-of", "managed-by"])
          expect(labels, `${kind} ${metadata.name}`).toContain(`app.kubernetes.io/${label}`);
        expect(labels, `${kind} ${metadata.name}`).toContain("helm.sh/chart");
      }
    }
  });

  test("CRDs stay when the release goes, unless the values say otherwise", async () => {
    const policies = async (keep: boolean) => {
      const { manifests } = await renderChart({ values: { "crds.keep": keep } });
      const definitions = manifests.filter(({ kind }) => kind === "CustomResourceDefinition");
      return definitions.map(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"]);
    };
    expect(await policies(true)).toEqual(["keep", "keep", "keep"]);
    expect(await policies(false)).toEqual([undefined, undefined, undefined]);
  });

  test("CRDs say what crds/ says, but for labels and the policy", async () => {
    const { manifests } = await renderChart();
    for (const kind of ["sipclusters", "sipdomains", "sipusers"]) {
      const source = parse(
        await readFile(join(chartFolder, `../../crds/${kind}.yaml`), "utf8"),
      ) as ChartManifest;
      const rendered = manifests.find(({ metadata }) => metadata.name === source.metadata.name);
      expect(rendered?.["spec"]).toEqual(source["spec"]);
    }
  });

  test("`helm test --logs` prints one log: it does so for every object that is a test hook, by the object's name", async () => {
    const { manifests } = await renderChart();
    const tests = manifests.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "test");
    expect(tests.map(({ kind }) => kind)).toEqual(["Pod"]);
  });

  test("pods of hooks have the labels and annotations of pods, and no sidecar that would outlive them", async () => {
    const values = {
      podLabels: { team: "voice", "sidecar.istio.io/inject": "true" },
      podAnnotations: { "example.com/note": "x", "linkerd.io/inject": "enabled" },
    };
    const { manifests } = await renderChart({ values });
    const podOf = (manifest: ChartManifest): ChartManifest => {
      const { template } = manifest["spec"] as { readonly template?: ChartManifest };
      return template ?? manifest;
    };
    const hooks = manifests.filter(({ kind }) => kind === "Job" || kind === "Pod");
    expect(hooks).toHaveLength(2);
    for (const { metadata } of hooks.map(podOf)) {
      expect(metadata.labels).toMatchObject({ team: "voice", "sidecar.istio.io/inject": "false" });
      expect(metadata.annotations).toMatchObject({
        "example.com/note": "x",
        "linkerd.io/inject": "disabled",
      });
    }
  });

  test("volumes are added to the operator, and what pulls the nodes' image is handed on", async () => {
    const { manifests } = await renderChart(variants["everything"]);
    const { spec } = manifests.find(({ kind }) => kind === "Deployment") as unknown as {
      readonly spec: { readonly template: { readonly spec: PodSpec } };
    };
    const { containers, volumes } = spec.template.spec;
    expect(volumes.map(({ name }) => name)).toEqual(["tmp", "extra-ca"]);
    expect(containers[0]?.volumeMounts).toContainEqual({
      name: "extra-ca",
      mountPath: "/etc/extra",
      readOnly: true,
    });
    expect(containers[0]?.env).toContainEqual({ name: "STROWGER_SIP_NODE_PULL_POLICY", value: "Always" });
    expect(containers[0]?.env).toContainEqual({
      name: "STROWGER_SIP_NODE_PULL_SECRETS",
      value: "node-registry-login,other-login",
    });
  });

  test("a packaged chart needs nothing of the checkout", async () => {
    const folder = await mkdtemp(join(tmpdir(), "strowger-chart-"));
    try {
      await helm(["package", chartFolder, "--destination", folder]);
      const packaged = await renderChart({ chart: join(folder, "strowger-0.1.0.tgz") });
      expect(packaged.text).toBe((await renderChart()).text);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

interface PodSpec {
  readonly containers: readonly { readonly volumeMounts: unknown; readonly env: unknown }[];
  readonly volumes: readonly { readonly name: string }[];
}

/** CRDs are compared with crds/; the dashboard has a test of its own. */
const isElsewhere = (document: string): boolean =>
  /^# Source: strowger\/templates\/(crds|monitoring\/grafana-dashboard)\.yaml$/m.test(document) ||
  /^kind: CustomResourceDefinition$/m.test(document);

describe("rights", () => {
  test("namespaced mode: Roles in the listed namespaces and the release's own, nothing of the cluster", async () => {
    const { manifests } = await renderChart(variants["namespaced"]);
    expect(manifests.filter(({ kind }) => /^Cluster|CustomResource/.test(kind))).toEqual([]);
    const roles = manifests.filter(
      ({ kind, metadata }) => kind === "Role" && metadata.name === "strowger-operator",
    );
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(["team-a", "team-b"]);
  });

  test("only SipUsers aggregate into edit; all kinds may be viewed; admin writes the others", async () => {
    const { manifests } = await renderChart();
    const rulesOf = (role: string) => {
      const label = `rbac.authorization.k8s.io/aggregate-to-${role}`;
      const found = manifests.filter(({ metadata }) => metadata.labels?.[label] === "true");
      return found.flatMap((manifest) => manifest["rules"] as Rule[]);
    };
    expect(rulesOf("view").map(({ verbs }) => verbs)).toEqual([["get", "list", "watch"]]);
    expect(rulesOf("edit").flatMap(({ resources }) => resources)).toEqual(["sipusers"]);
    expect(rulesOf("admin").flatMap(({ resources }) => resources)).toEqual([
      "sipclusters",
      "sipdomains",
      "sipclusters/scale",
    ]);
  });

  test.each(Object.entries(variants))(
    "%s: no wildcard, and Secrets are listed by the operator alone",
    async (_, plan) => {
      const { manifests } = await renderChart(plan);
      for (const { metadata, rules } of manifests as (ChartManifest & { rules?: Rule[] })[])
        for (const { apiGroups, resources, verbs, resourceNames } of rules ?? []) {
          expect([...apiGroups, ...resources, ...verbs]).not.toContain("*");
          if (!resources.includes("secrets") || /-operator$/.test(metadata.name)) continue;
          expect(verbs).toEqual(["get"]);
          expect(resourceNames).toHaveLength(2);
        }
    },
  );
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

describe("values.schema.json", () => {
  let accepts: (values: unknown) => boolean;
  let schema: Schema;
  beforeAll(async () => {
    schema = JSON.parse(await readFile(join(chartFolder, "values.schema.json"), "utf8")) as Schema;
    const validate = new Ajv({ strict: false }).compile(schema);
    accepts = (value) => validate(value);
  });

  test("knows every value of values.yaml, and values.yaml has every one that it knows", async () => {
    const known = pathsOf(schema).filter((path) => path !== "global");
    expect(
      documentedValues(await values())
        .map(({ path }) => path)
        .sort(),
    ).toEqual(known.sort());
  });

  test("takes the defaults", async () => {
    expect(accepts(parse(await values()))).toBe(true);
  });

  test.each(badValues)("refuses %s=%j", (path, value) => {
    expect(accepts(nested(path.split("."), value))).toBe(false);
  });

  test("helm itself refuses by it, and says where", async () => {
    await expect(renderChart({ values: { replicaCount: 3 } })).rejects.toThrow(/replicaCount/);
    await expect(renderChart({ values: { "image.tag": "a tag" } })).rejects.toThrow(/image.*tag/s);
  });

  test("alerts that may be left out are those of files/alerts.yaml", async () => {
    const { groups } = parse(await readFile(join(chartFolder, "files/alerts.yaml"), "utf8")) as Alerts;
    const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    const { disabled } = schema.properties?.["prometheusRule"]?.properties ?? {};
    expect(disabled?.items?.enum).toEqual(names);
  });

  test("CRDs with watchNamespaces are refused by name", async () => {
    await expect(renderChart({ values: { watchNamespaces: ["team-a"] } })).rejects.toThrow(
      /crds.enabled must be false/,
    );
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: { readonly enum?: readonly string[] };
}

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
}

/** Paths of the schema's leaves: what has no properties of its own. */
const pathsOf = (schema: Schema): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    inner.properties === undefined ? [name] : pathsOf(inner).map((path) => `${name}.${path}`),
  );

const nested = ([first = "", ...rest]: readonly string[], value: unknown): unknown => ({
  [first]: rest.length === 0 ? value : nested(rest, value),
});

describe("the guard against stale files", () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "strowger-chart-"))));
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  test("sees a changed copy of a CRD, a stray one, and a README without a value", async () => {
    await cp(join(chartFolder, "../../crds"), join(folder, "crds"), { recursive: true });
    await cp(chartFolder, join(folder, "charts/strowger"), { recursive: true });
    expect(staleFiles(folder)).toEqual([]);
    await writeFile(join(folder, "charts/strowger/files/crds/sipusers.yaml"), "kind: Other\n");
    await writeFile(join(folder, "charts/strowger/files/crds/old.yaml"), "kind: Old\n");
    await writeFile(join(folder, "charts/strowger/values.yaml"), "# -- New.\nnew: 1\n");
    expect(staleFiles(folder).map((path) => path.split("/").at(-1))).toEqual([
      "README.md",
      "sipusers.yaml",
      "old.yaml",
    ]);
  });
});
