/** The chart's alerts in promtool: they fire for the series of this release, and not for others. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../../support/needs.ts";
import { runCommand } from "../../support/kubernetes/run-command.ts";
import { chartFolder, renderChart, type RenderPlan } from "../chart/render-chart.ts";

interface Origin {
  readonly operator: string;
  readonly node: string;
}

/** The labels that a scrape adds. */
const origin = (
  jobs: readonly [string, string],
  operatorNamespace: string,
  nodeNamespace = "tel",
): Origin => ({
  operator: `job="${jobs[0]}", namespace="${operatorNamespace}", pod="op-0"`,
  node: `job="${jobs[1]}", namespace="${nodeNamespace}", sip_cluster="pbx", pod="node-0"`,
});
const ourJobs = ["strowger-operator", "strowger-sip-node"] as const;
const ours = origin(ourJobs, "strowger-system");

/** For each alert, a series that fires it, with one value for each minute of two hours. */
const badSeries = ({ operator, node }: Origin): readonly (readonly [string, string, string])[] => {
  const object = 'exported_namespace="tel", name="pbx"';
  return [
    ["StrowgerNodeDown", `up{${node}}`, "0x120"],
    ["StrowgerNodeBusy", `strowger_event_loop_lag_seconds{${node}}`, "1x120"],
    ["StrowgerNodeOverloaded", `strowger_load_level{${node}}`, "0x60 2x60"],
    ["StrowgerDatagramsLost", `strowger_udp_receive_drops_total{${node}, socket="phones"}`, "0+60x120"],
    ["StrowgerCopyFull", `strowger_copy_evictions_total{${node}, kind="bindings"}`, "0+60x120"],
    [
      "StrowgerDatabaseAway",
      `strowger_copy_lookups_total{${node}, kind="bindings", result="away"}`,
      "0x60 0+60x60",
    ],
    ["StrowgerInvariantBroken", `strowger_invariant_violations_total{${node}}`, "0+1x120"],
    ["StrowgerFramesRefused", `strowger_relays_total{${node}, direction="refused"}`, "0+60x120"],
    ["StrowgerConfigurationProblem", `strowger_configuration_problems{${node}}`, "1x120"],
    ["StrowgerDrainHangs", `strowger_draining{${node}}`, "1x120"],
    [
      "StrowgerRegisterRefused",
      `strowger_sip_responses_total{${node}, method="REGISTER", code="500"}`,
      "0+60x120",
    ],
    ["StrowgerRegistrationsLost", `strowger_bindings{${operator}, cluster="tel/pbx"}`, "100x100 1x20"],
    ["StrowgerNoLeader", `leader_election_master_status{${operator}, name="strowger"}`, "0x120"],
    [
      "StrowgerWatchSilent",
      `strowger_operator_reflector_last_event_age_seconds{${operator}, type="SipUser"}`,
      "9999x120",
    ],
    [
      "StrowgerReconcileErrors",
      `controller_runtime_reconcile_errors_total{${operator}, controller="SipUser"}`,
      "0+60x120",
    ],
    ["StrowgerQueueGrows", `workqueue_depth{${operator}, name="SipUser"}`, "1000x120"],
    ["StrowgerSweepRefused", `strowger_operator_sweep_refused{${operator}, controller="SipUser"}`, "50x120"],
    ["StrowgerNoNodes", `strowger_cluster_ready_nodes{${operator}, ${object}}`, "0x120"],
    ["", `strowger_cluster_replicas{${operator}, ${object}}`, "2x120"],
    [
      "StrowgerExchangeNotReady",
      `strowger_condition{${operator}, kind="SipCluster", ${object}, type="Ready", status="False"}`,
      "1x120",
    ],
    [
      "StrowgerObjectsNotReady",
      `strowger_condition_objects{${operator}, kind="SipUser", type="Ready", status="False", reason="Conflict"}`,
      "7x120",
    ],
  ];
};

/** Without this series StrowgerOperatorDown fires. */
const operatorIsUp = [`up{${ours.operator}}`, "1x120"] as const;

describeWith(["prometheus"], "alerts", () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "strowger-alerts-"))));
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  /** Writes the groups of the chart's PrometheusRule to a file. */
  const rendered = async (plan: RenderPlan): Promise<string> => {
    const { manifests } = await renderChart({
      namespace: "strowger-system",
      ...plan,
      values: { "prometheusRule.enabled": true, ...plan.values },
    });
    const rule = manifests.find(({ kind }) => kind === "PrometheusRule");
    const file = join(folder, "rules.json"); // JSON is YAML
    await writeFile(file, JSON.stringify(rule?.["spec"]));
    return file;
  };

  /** Rejects, with the alerts that fired, unless exactly these alerts fire at the end of two hours. */
  const firing = async (
    rules: string,
    series: readonly (readonly [string, string])[],
    names: readonly string[],
  ): Promise<void> => {
    const test = {
      interval: "1m",
      input_series: series.map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: "2h",
          exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
        },
      ],
    };
    const file = join(folder, "test.json");
    await writeFile(file, JSON.stringify({ rule_files: [rules], evaluation_interval: "1m", tests: [test] }));
    await runCommand("promtool", ["test", "rules", file]);
  };

  const bad = (from: Origin): readonly (readonly [string, string])[] =>
    badSeries(from).map(([, series, values]) => [series, values] as const);
  const raised = badSeries(ours).flatMap(([alert]) => (alert === "" ? [] : [alert]));

  test("each alert fires for the series of this release", async () => {
    await firing(await rendered({}), [operatorIsUp, ...bad(ours)], raised);
    await firing(join(chartFolder, "files/alerts.yaml"), [operatorIsUp, ...bad(ours)], raised);
  });

  test("no alert fires for the series of another operator, also in this namespace", async () => {
    const other = bad(origin(["cert-manager", "envoy"], "strowger-system"));
    await firing(await rendered({}), [operatorIsUp, ...other], []);
    await firing(join(chartFolder, "files/alerts.yaml"), [operatorIsUp, ...other], []);
  });

  test("no alert fires for the series of another release in namespaced mode", async () => {
    const plan = { values: { watchNamespaces: ["tel", "shop"], "crds.enabled": false } };
    await firing(await rendered(plan), [operatorIsUp, ...bad(origin(ourJobs, "elsewhere", "else"))], []);
    await firing(await rendered(plan), [operatorIsUp, ...bad(ours)], raised);
  });

  test("the job names are values, and StrowgerOperatorDown watches only the operator of this release", async () => {
    const plan = { values: { "metrics.jobs": { operator: "voice/op", sipNode: "voice/node" } } };
    const renamed = origin(["voice/op", "voice/node"], "strowger-system");
    const isUp = [`up{${renamed.operator}}`, "1x120"] as const;
    await firing(await rendered(plan), [isUp, ...bad(renamed)], raised);
    await firing(await rendered(plan), [operatorIsUp, ...bad(ours)], ["StrowgerOperatorDown"]);
  });

  test("a problem of a node that was short, or that ended, fires no alert", async () => {
    const short = [
      // At the end of two hours it lasts for a minute, or was over for minutes.
      [`strowger_load_level{${ours.node}}`, "0x119 3"],
      [`strowger_udp_receive_drops_total{${ours.node}, socket="phones"}`, "0x117 500x3"],
      [`strowger_copy_evictions_total{${ours.node}, kind="bindings"}`, "0+600x60 36000x60"],
      [`strowger_copy_lookups_total{${ours.node}, kind="user", result="away"}`, "0x118 50x2"],
      // Answers from the copy and from the database are no problem, at any rate.
      [`strowger_copy_lookups_total{${ours.node}, kind="user", result="copy"}`, "0+6000x120"],
      [`strowger_copy_lookups_total{${ours.node}, kind="user", result="database"}`, "0+6000x120"],
    ] as const;
    await firing(await rendered({}), [operatorIsUp, ...short], []);
  });

  test("an exchange that is scaled to zero fires no alert", async () => {
    const asleep = bad(ours).flatMap(([series, values]): (readonly [string, string])[] => {
      if (series.startsWith("strowger_cluster_replicas")) return [[series, "0x120"]];
      return /^strowger_(cluster_ready_nodes|condition\{)/.test(series) ? [[series, values]] : [];
    });
    expect(asleep).toHaveLength(3);
    await firing(await rendered({}), [operatorIsUp, ...asleep], []);
  });
});
