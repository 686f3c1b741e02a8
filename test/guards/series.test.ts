/** Alerts and dashboard: every selector has the job of the program that reports the series, so that series of other operators do not match. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createMetrics } from "../../operator/src/telemetry/metrics.ts";

const files = join(import.meta.dirname, "../../charts/strowger/files");
const read = (file: string): string => readFileSync(join(files, file), "utf8");

const operatorMetrics = new Set(
  createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name),
);
const metric =
  /\b(?:up|(?:strowger|controller_runtime|workqueue|rest_client|leader_election|process|nodejs)_\w+)/.source;

/** The selectors of an expression without the right job. */
function selectorsWithoutJob(expression: string): readonly string[] {
  const plain = expression.replace(/\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)/g, "");
  return [...plain.matchAll(new RegExp(`(${metric})\\s*(\\{[^}]*\\})?`, "g"))].flatMap(
    ([selector, name = "", matchers = ""]) => {
      const base = name.replace(/_(bucket|sum|count)$/, "");
      const jobs = ["operator", "sip-node"].filter((job) => matchers.includes(`job="strowger-${job}"`));
      const expectedJob = operatorMetrics.has(base) ? "operator" : "sip-node";
      const hasExpectedJob = jobs.length === 1 && (name === "up" || jobs[0] === expectedJob);
      return hasExpectedJob ? [] : [selector];
    },
  );
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

test("alerts select by job", () => {
  const alerts = (parse(read("alerts.yaml")) as Rules).groups.flatMap(({ rules }) => rules);
  expect(alerts.length).toBeGreaterThan(15);
  for (const { alert, expr } of alerts) expect(selectorsWithoutJob(expr), alert).toEqual([]);
});

test("panels and variables of the dashboard select by job", () => {
  const { panels, templating } = JSON.parse(read("dashboards/strowger.json")) as Dashboard;
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const definitions = templating.list.flatMap(({ definition = "" }) => definition);
  expect(expressions.length).toBeGreaterThan(30);
  for (const expression of [...expressions, ...definitions])
    expect(selectorsWithoutJob(expression), expression).toEqual([]);
});

test.each([
  ["workqueue_depth", ["workqueue_depth"]],
  ['sum by (name) (workqueue_depth{job=~".*operator.*"})', ['workqueue_depth{job=~".*operator.*"}']],
  ['workqueue_depth{job="strowger-sip-node"}', ['workqueue_depth{job="strowger-sip-node"}']],
  ['rate(strowger_register_seconds_bucket{le="1"}[5m])', ['strowger_register_seconds_bucket{le="1"}']],
  ['up == 1 and strowger_peers{job="strowger-sip-node"} > 0', ["up "]],
  ['absent(up{job="strowger-operator"} == 1)', []],
])("%s: %j", (expression, found) => {
  expect(selectorsWithoutJob(expression)).toEqual(found);
});
