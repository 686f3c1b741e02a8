/** What the chart makes for the operator: its roles, its account and the environment of its pods. */
import { renderChart, type ChartManifest } from "../chart/render-chart.ts";

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface Role extends ChartManifest {
  readonly rules: readonly Rule[];
}

interface Deployment extends ChartManifest {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

export interface OperatorManifests {
  readonly account: string;
  readonly roles: readonly Role[];
  /** The ServiceAccount and what binds it to the roles. */
  readonly bindings: readonly ChartManifest[];
  /** Of the container, as far as the chart says values. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `values` as helm's `--set-json` takes them. */
export async function operatorManifests(
  namespace: string,
  values: Readonly<Record<string, unknown>> = {},
): Promise<OperatorManifests> {
  const without = { "crds.enabled": false, "selfTest.enabled": false };
  const rendered = await renderChart({ namespace, values: { ...without, ...values } });
  const manifests = rendered.manifests.filter(
    ({ metadata }) => metadata.annotations?.["helm.sh/hook"] === undefined,
  );
  const deployment = manifests.find(({ kind }) => kind === "Deployment") as Deployment | undefined;
  const pod = deployment?.spec.template.spec;
  if (pod === undefined) throw new Error("the chart has no Deployment");
  const account = pod.serviceAccountName;
  const variables = pod.containers[0]?.env ?? [];
  return {
    account,
    roles: manifests.filter(
      ({ kind, metadata }) => /Role$/.test(kind) && !isAggregated(metadata.labels),
    ) as Role[],
    bindings: manifests.filter(({ kind }) => /Binding$|^ServiceAccount$/.test(kind)),
    environment: Object.fromEntries(
      variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    ),
  };
}

/** Roles for people, which end up in view, edit and admin. */
const isAggregated = (labels: ChartManifest["metadata"]["labels"] = {}): boolean =>
  Object.keys(labels).some((label) => label.startsWith("rbac.authorization.k8s.io/aggregate-to-"));
