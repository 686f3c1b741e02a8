/** The rendered chart: golden files, refused values, rights, and generated files that are up to date. */
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

test("README and copies of crds/ are up to date (otherwise run: node test/parts/chart/generated-files.ts --write)", () => {
  expect(staleFiles()).toEqual([]);
});

test("helm lint has no findings", async () => {
  for (const { files = [] } of Object.values(variants)) {
    const flags = files.flatMap((file) => ["--values", file]);
    expect(await helm(["lint", "--strict", chartFolder, ...flags])).toContain("0 chart(s) failed");
  }
});

describe("rendered", () => {
  test.each(Object.entries(variants))("%s: equals the golden file", async (name, plan) => {
    const { text } = await renderChart(plan);
    const documents = text.split(/^---$/m).filter((document) => !isTestedElsewhere(document));
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

  test("CRDs stay when the release is uninstalled, unless the values request their deletion", async () => {
    const policies = async (keep: boolean) => {
      const { manifests } = await renderChart({ values: { "crds.keep": keep } });
      const definitions = manifests.filter(({ kind }) => kind === "CustomResourceDefinition");
      return definitions.map(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"]);
    };
    expect(await policies(true)).toEqual(["keep", "keep", "keep"]);
    expect(await policies(false)).toEqual([undefined, undefined, undefined]);
  });

  test("CRDs equal those of crds/, except for labels and the resource policy", async () => {
    const { manifests } = await renderChart();
    for (const kind of ["sipclusters", "sipdomains", "sipusers"]) {
      const source = parse(
        await readFile(join(chartFolder, `../../crds/${kind}.yaml`), "utf8"),
      ) as ChartManifest;
      const rendered = manifests.find(({ metadata }) => metadata.name === source.metadata.name);
      expect(rendered?.["spec"]).toEqual(source["spec"]);
    }
  });

  test("`helm test --logs` prints one log: helm prints one for each test hook, and there is only one", async () => {
    const { manifests } = await renderChart();
    const tests = manifests.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "test");
    expect(tests.map(({ kind }) => kind)).toEqual(["Pod"]);
  });

  test("hook pods have the pod labels and annotations, and no service mesh sidecar, which would not end", async () => {
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

  test("additional volumes are in the operator's pod, and the image pull settings of the nodes are passed to the operator", async () => {
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

  test("a packaged chart needs no file of the checkout", async () => {
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

/** CRDs are compared with crds/, and the dashboard has its own test. */
const isTestedElsewhere = (document: string): boolean =>
  /^# Source: strowger\/templates\/(crds|monitoring\/grafana-dashboard)\.yaml$/m.test(document) ||
  /^kind: CustomResourceDefinition$/m.test(document);

describe("rights", () => {
  test("namespaced mode: Roles in the listed namespaces and in the release's namespace, no cluster roles", async () => {
    const { manifests } = await renderChart(variants["namespaced"]);
    expect(manifests.filter(({ kind }) => /^Cluster|CustomResource/.test(kind))).toEqual([]);
    const roles = manifests.filter(
      ({ kind, metadata }) => kind === "Role" && metadata.name === "strowger-operator",
    );
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(["team-a", "team-b"]);
  });

  test("aggregated roles: edit writes only SipUsers, admin also the other kinds, view reads all kinds", async () => {
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
    "%s: no wildcard, and only the operator lists Secrets",
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

  test("the schema and values.yaml have the same values", async () => {
    const known = pathsOf(schema).filter((path) => path !== "global");
    expect(
      documentedValues(await values())
        .map(({ path }) => path)
        .sort(),
    ).toEqual(known.sort());
  });

  test("accepts the defaults", async () => {
    expect(accepts(parse(await values()))).toBe(true);
  });

  test.each(badValues)("refuses %s=%j", (path, value) => {
    expect(accepts(nested(path.split("."), value))).toBe(false);
  });

  test("helm refuses invalid values with the schema, and its message has the path", async () => {
    await expect(renderChart({ values: { replicaCount: 3 } })).rejects.toThrow(/replicaCount/);
    await expect(renderChart({ values: { "image.tag": "a tag" } })).rejects.toThrow(/image.*tag/s);
  });

  test("the alerts that can be disabled are those of files/alerts.yaml", async () => {
    const { groups } = parse(await readFile(join(chartFolder, "files/alerts.yaml"), "utf8")) as Alerts;
    const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    const { disabled } = schema.properties?.["prometheusRule"]?.properties ?? {};
    expect(disabled?.items?.enum).toEqual(names);
  });

  test("CRDs with watchNamespaces are refused, with the name of the value", async () => {
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

/** The paths of the schema's leaves: those without properties. */
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

  test("finds a changed copy of a CRD, an unknown file, and a README without a value", async () => {
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
