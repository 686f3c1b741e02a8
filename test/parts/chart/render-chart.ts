/** Renders the chart with helm, as text and as parsed objects. */
import { resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import { runCommand } from "../../support/kubernetes/run-command.ts";
import { kubeBinaries } from "../../tools/build.ts";

export const chartFolder = resolve(import.meta.dirname, "../../../charts/strowger");

export interface RenderPlan {
  /** Default: `strowger`. */
  readonly release?: string;
  readonly namespace?: string;
  /** Values files. */
  readonly files?: readonly string[];
  /** Values in the format of `--set-json`. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly chart?: string;
}

export interface ChartManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

interface RenderedChart {
  readonly text: string;
  /** In helm's order; hooks last. */
  readonly manifests: readonly ChartManifest[];
}

/** Rejects with helm's message if values or templates are refused. */
export async function renderChart(plan: RenderPlan = {}): Promise<RenderedChart> {
  const { release = "strowger", namespace = "default", chart = chartFolder } = plan;
  const text = await helm(["template", release, chart, "--namespace", namespace, ...valueFlags(plan)]);
  const manifests = parseAllDocuments(text).map((document) => document.toJSON() as ChartManifest | null);
  return { text, manifests: manifests.filter((manifest) => manifest !== null) };
}

/** Runs a helm command for the Kubernetes version of the end-to-end tests. */
export async function helm(args: readonly string[]): Promise<string> {
  const { helm: command } = await kubeBinaries(["helm"]);
  const versioned = ["template", "lint"].includes(args[0] ?? "") ? ["--kube-version", "1.33.0"] : [];
  return await runCommand(command, [...args, ...versioned]);
}

function valueFlags({ files = [], values = {} }: RenderPlan): string[] {
  const set = Object.entries(values).flatMap(([path, value]) => [
    "--set-json",
    `${path}=${JSON.stringify(value)}`,
  ]);
  return [...files.flatMap((file) => ["--values", file]), ...set];
}
