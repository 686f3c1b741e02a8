import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { operatorRoutes, type OperatorView } from "./operator-routes.ts";

const answer = async (
  path: string,
  view: Partial<OperatorView>,
): Promise<readonly [number, string] | undefined> => {
  const routes = operatorRoutes({
    registry: new Registry(),
    readinessProblem: () => undefined,
    status: () => ({}),
    ...view,
  });
  const given = await routes.get(path)?.();
  return given === undefined ? undefined : [given.status, given.body];
};

test("ready once there is no obstacle; until then the probe says what it waits for", async () => {
  expect(await answer("/readyz", {})).toEqual([200, "ok\n"]);
  expect(await answer("/readyz", { readinessProblem: () => "SipUser: is being listed" })).toEqual([
    503,
    "SipUser: is being listed\n",
  ]);
});

test("alive unless something says what only a new process can mend", async () => {
  expect(await answer("/healthz", {})).toEqual([200, "ok\n"]);
  expect(await answer("/healthz", { readinessProblem: () => "waits" })).toEqual([200, "ok\n"]);
  expect(await answer("/healthz", { livenessProblem: () => "nothing was heard for 700 s" })).toEqual([
    503,
    "nothing was heard for 700 s\n",
  ]);
});
