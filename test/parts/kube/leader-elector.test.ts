/** The election between processes on a real API server: a killed leader, a suspended one, and one that releases the lease. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resourceTypes } from "../../../operator/src/adapters/kube/resource-type.ts";
import { startChild, type TestChild } from "../../support/child.ts";
import { startRelayedApiServer, type RelayedApiServer } from "./relayed-api-server.ts";

const pollOptions = { timeout: 30_000, interval: 50 };
const program = `${import.meta.dirname}/candidate.ts`;

describe("leader elector", () => {
  let relayed: RelayedApiServer;

  beforeAll(async () => {
    relayed = await startRelayedApiServer();
  });

  afterAll(() => relayed?.[Symbol.asyncDispose]());

  const candidate = (name: string): TestChild =>
    startChild(process.execPath, [program, relayed.server.kubeconfig, name]);

  const written = async (): Promise<string | undefined> => {
    const place = { namespace: "default", name: "written" };
    const found = await relayed
      .client()
      .get<{ data: { by: string } }>(resourceTypes.ConfigMap, place)
      .catch(() => undefined);
    return found?.data.by;
  };

  it("a suspended leader that continues does not write any more, and ends", async () => {
    await using one = candidate("one");
    await expect.poll(() => one.output(), pollOptions).toContain("elected");
    await expect.poll(written, pollOptions).toBe("one");
    await using two = candidate("two");
    await expect.poll(() => two.output(), pollOptions).toContain("follows one");
    one.process.kill("SIGSTOP");
    await expect.poll(() => two.output(), pollOptions).toContain("elected");
    await expect.poll(written, pollOptions).toBe("two");
    const versions = await watchWriters(relayed);
    one.process.kill("SIGCONT");
    expect(await one.exited).toBe(1);
    expect(one.output()).toContain("lost");
    expect(new Set(await versions())).toEqual(new Set(["two"]));
  });

  it("a leader that ends on SIGTERM releases the lease, so the next one leads at once", async () => {
    await using one = candidate("first");
    await expect.poll(() => one.output(), pollOptions).toContain("elected");
    await using two = candidate("second");
    await expect.poll(() => two.output(), pollOptions).toContain("follows first");
    one.process.kill("SIGTERM");
    expect(await one.exited).toBe(0);
    const { spec } = await relayed.server.get<{ spec: { leaseTransitions: number } }>("lease", "election");
    await expect.poll(() => two.output(), pollOptions).toContain("elected");
    const after = await relayed.server.get<{ spec: { holderIdentity: string; leaseTransitions: number } }>(
      "lease",
      "election",
    );
    expect(after.spec).toMatchObject({
      holderIdentity: "second",
      leaseTransitions: spec.leaseTransitions + 1,
    });
  });

  it("a leader that cannot reach the API server ends", async () => {
    await using one = startChild(process.execPath, [program, relayed.kubeconfig, "cut-off"]);
    await expect.poll(() => one.output(), pollOptions).toContain("elected");
    relayed.proxy.stall();
    expect(await one.exited).toBe(1);
    relayed.proxy.resume();
  });
});

/** Collects the writers from now on. The returned function waits for some more writes and returns all of them. */
async function watchWriters(relayed: RelayedApiServer): Promise<() => Promise<readonly string[]>> {
  const writers: string[] = [];
  const stop = new AbortController();
  const client = relayed.client();
  const list = await client.list(resourceTypes.ConfigMap, "default");
  const handlers = {
    opened: () => undefined,
    on: ({ object }: { object: unknown }) => {
      const { metadata, data } = object as { metadata: { name?: string }; data?: { by: string } };
      if (metadata.name === "written") writers.push(data?.by ?? "");
    },
  };
  const query = { from: list.resourceVersion, timeoutSeconds: 60 };
  const watching = client
    .watch(resourceTypes.ConfigMap, "default", query, handlers, stop.signal)
    .catch(() => undefined);
  return async () => {
    const before = writers.length;
    await expect.poll(() => writers.length, pollOptions).toBeGreaterThan(before + 20);
    stop.abort();
    await watching;
    return writers;
  };
}
