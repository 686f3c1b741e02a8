/** The chart's manifests for the operator: roles, ServiceAccount and the environment variables of the pods. */
import { renderChart, type ChartManifest } from "../chart/render-chart.ts";

interface Rule {
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

interface OperatorManifests {
  readonly account: string;
  readonly roles: readonly Role[];
  /** The ServiceAccount and its role bindings. */
  readonly bindings: readonly ChartManifest[];
  /** The container's environment variables that have a literal value. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `values` has the format of helm's `--set-json`. */
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

/** Roles for people, which are aggregated into view, edit and admin. */
const isAggregated = (labels: ChartManifest["metadata"]["labels"] = {}): boolean =>
  Object.keys(labels).some((label) => label.startsWith("rbac.authorization.k8s.io/aggregate-to-"));
