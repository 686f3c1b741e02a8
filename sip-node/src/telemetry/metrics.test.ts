/** The node's metrics. */
import { expect, it } from "vitest";
import { createTelemetry } from "./metrics.ts";

const readings = {
  transactions: () => ({ server: 0, client: 0 }),
  eventLoopLag: () => 0,
  peers: () => 0,
  flows: () => 0,
  relays: () => ({}),
  copied: () => ({}),
  evicted: () => ({}),
  dropped: () => ({}),
  failedLogins: () => 0,
  loadLevel: () => 0,
};

it("callees that invent status codes and methods create a few hundred series at most, and each response is counted", async () => {
  const telemetry = createTelemetry(readings);
  telemetry.response("INVITE", 200);
  for (let status = 100; status < 700; status++)
    for (const method of ["INVITE", "BYE", `X${status}`]) telemetry.response(method, status);
  telemetry.response("INVITE", 200);
  const { values } = await telemetry.registry.getSingleMetric("strowger_sip_responses_total")!.get();
  expect(values.length).toBeLessThan(330);
  expect(values.reduce((sum, { value }) => sum + value, 0)).toBe(1802);
  expect(values).toContainEqual({ labels: { method: "INVITE", code: "200" }, value: 3 });
  expect(values.find(({ labels }) => labels["code"] === "6xx")?.value).toBeGreaterThan(50);
});
