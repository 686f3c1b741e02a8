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
  const answer = await routes.get(path)?.();
  return answer === undefined ? undefined : [answer.status, answer.body];
};

test("ready when there is no obstacle; until then the probe names it", async () => {
  expect(await answer("/readyz", {})).toEqual([200, "ok\n"]);
  expect(await answer("/readyz", { readinessProblem: () => "SipUser: is being listed" })).toEqual([
    503,
    "SipUser: is being listed\n",
  ]);
});

test("alive unless there is a problem that only a restart solves", async () => {
  expect(await answer("/healthz", {})).toEqual([200, "ok\n"]);
  expect(await answer("/healthz", { readinessProblem: () => "waits" })).toEqual([200, "ok\n"]);
  expect(await answer("/healthz", { livenessProblem: () => "nothing was heard for 700 s" })).toEqual([
    503,
    "nothing was heard for 700 s\n",
  ]);
});
