import { expect, test } from "vitest";
import { parseMetrics, total, totalBy } from "./metrics.ts";

const text = `# HELP strowger_sip_responses_total Responses sent
# TYPE strowger_sip_responses_total counter
strowger_sip_responses_total{method="INVITE",code="200"} 3
strowger_sip_responses_total{method="REGISTER",code="200"} 4
strowger_sip_responses_total{method="REGISTER",code="401"} 2
strowger_peers 2
odd{text="a \\"quoted\\" }, b"} 1e3
`;

test("samples have name, labels and value; comments are skipped", () => {
  const samples = parseMetrics(text);
  expect(samples).toHaveLength(5);
  expect(samples.at(-1)).toEqual({
    name: "odd",
    labels: new Map([["text", 'a "quoted" }, b']]),
    value: 1000,
  });
});

test("a total is the sum of the samples with all the given labels", () => {
  const samples = parseMetrics(text);
  expect(total(samples, "strowger_sip_responses_total", { code: "200" })).toBe(7);
  expect(total(samples, "strowger_sip_responses_total", { code: "200", method: "INVITE" })).toBe(3);
  expect(total(samples, "absent")).toBe(0);
});

test("a total by label sums the samples that differ in other labels", () => {
  const byCode = totalBy(parseMetrics(text), "strowger_sip_responses_total", "code");
  expect([...byCode]).toEqual([
    ["200", 7],
    ["401", 2],
  ]);
});
