/** The rendered chart on an API server: every field is known, and every object is accepted. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { ApiServer } from "../../support/kubernetes/api-server.ts";
import { describeWith } from "../../support/needs.ts";
import { chartFolder, type ChartManifest, renderChart, type RenderPlan } from "./render-chart.ts";

const ci = (name: string) => join(chartFolder, "ci", `${name}-values.yaml`);

describeWith(["etcd"], "the chart on an API server", () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await ApiServer.start();
    for (const name of ["strowger-system", "team-a", "team-b"]) {
      const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
      await server.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }));
    }
  });
  afterAll(async () => server?.[Symbol.asyncDispose]());

  test.each<[string, RenderPlan]>([
    ["default", { namespace: "strowger-system" }],
    ["namespaced", { namespace: "team-a", files: [ci("namespaced")] }],
    ["everything", { release: "telephony", namespace: "strowger-system", files: [ci("everything")] }],
  ])("%s: with hooks, in a namespace that enforces Pod Security `restricted`", async (_, plan) => {
    const { manifests } = await renderChart(plan);
    // The Prometheus operator's kinds are not served here.
    const known = manifests.filter(({ apiVersion }) => !apiVersion.startsWith("monitoring.coreos.com/"));
    expect(known.length).toBeGreaterThan(15);
    expect(await apply(known)).toHaveLength(known.length);
    // Pod Security checks pods, and no controller creates pods here.
    const templates = known.filter(({ kind }) => kind === "Deployment" || kind === "Job");
    expect(await apply(templates.map(podOf))).toHaveLength(2);
  });

  test("examples/kubernetes/ with the chart's CRDs, and the example's pod in its `restricted` namespace", async () => {
    const folder = join(chartFolder, "../../examples/kubernetes");
    const made = await server.kubectl(["kustomize", folder]);
    const manifests = parseAllDocuments(made).map((document) => document.toJS() as ChartManifest);
    const namespace = manifests.filter(({ kind }) => kind === "Namespace");
    const account = { name: "default", namespace: "telephony" }; // the controller manager would create it
    await apply([
      ...namespace,
      { apiVersion: "v1", kind: "ServiceAccount", metadata: account },
      ...manifests,
    ]);
    expect(await apply(manifests.filter(({ kind }) => kind === "StatefulSet").map(podOf))).toHaveLength(1);
    const ours = await server.get<{ items: unknown[] }>("sip", "-n", "telephony");
    expect(ours.items).toHaveLength(5);
  });

  /** The output has one line for each object. */
  const apply = async (manifests: readonly object[]) => {
    const input = manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n");
    const flags = ["--server-side", "--force-conflicts", "--validate=strict"];
    return (await server.kubectl(["apply", ...flags, "-f", "-"], { input })).trim().split("\n");
  };
});

const podOf = ({ metadata, spec }: ChartManifest) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `of-${metadata.name}`, namespace: metadata.namespace },
  spec: (spec as { readonly template: { readonly spec: object } }).template.spec,
});
