/** The node's metrics. */
import { expect, it } from "vitest";
import { noReadings } from "../../../test/support/no-readings.ts";
import { createTelemetry } from "./metrics.ts";

it("callees that invent status codes and methods create a few hundred series at most, and each response is counted", async () => {
  const telemetry = createTelemetry(noReadings);
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

it("each UDP socket has its buffer and its drops; drops that the system does not count are left out", async () => {
  const phones = {
    socket: "phones",
    engine: "batched",
    receiveBuffer: 4096,
    receiveDrops: 3,
    sendDrops: 1,
  } as const;
  const peers = { ...phones, socket: "peers", receiveDrops: undefined } as const;
  const { registry } = createTelemetry({ ...noReadings, udp: () => [phones, peers] });
  const valuesOf = async (name: string) => (await registry.getSingleMetric(name)!.get()).values;
  expect(await valuesOf("strowger_udp_engine")).toMatchObject([{ labels: { engine: "batched" }, value: 1 }]);
  expect(await valuesOf("strowger_udp_receive_buffer_bytes")).toMatchObject([
    { labels: { socket: "phones" }, value: 4096 },
    { labels: { socket: "peers" }, value: 4096 },
  ]);
  expect(await valuesOf("strowger_udp_receive_drops_total")).toMatchObject([
    { labels: { socket: "phones" }, value: 3 },
  ]);
  expect(await valuesOf("strowger_udp_send_drops_total")).toHaveLength(2);
});
