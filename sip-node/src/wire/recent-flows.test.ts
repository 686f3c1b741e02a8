import { expect, it } from "vitest";
import type { Flow } from "./flow.ts";
import { RecentFlows } from "./recent-flows.ts";

const made: string[] = [];
const make = (address: string, port: number): Flow => {
  const key = `udp:${address}:${port}`;
  made.push(key);
  return { transport: "udp", address, port, key };
};

it("a flow that is used stays one object, and flows of any addresses displace others", () => {
  const flows = new RecentFlows(10);
  const first = flows.get("192.0.2.1", 5060, make);
  for (let i = 0; i < 1_000; i++) {
    flows.get(i % 2 === 0 ? "192.0.2.2" : `192.0.2.${i}`, i, make);
    expect(flows.get("192.0.2.1", 5060, make)).toBe(first);
  }
  made.length = 0;
  for (let i = 0; i < 1_000; i += 2) flows.get("192.0.2.2", i, make);
  expect(made.length).toBeGreaterThanOrEqual(480); // at most 20 were kept
});
