import { expect, test } from "vitest";
import type { Login } from "./exchange.ts";
import type { ObjectStatus, OperatorStatus } from "./operator-status.ts";
import { explainMissingLogins, selectReadyLogins } from "./ready-logins.ts";
import { describeProblems } from "./summary.ts";

const makeObject = (kind: string, name: string, reason?: string): ObjectStatus => ({
  kind,
  key: `default/${name}`,
  state: reason === undefined ? "Ready (generation 1)" : `${reason}: words (generation 1)`,
  isReady: reason === undefined,
  isPending: false,
});

const makeStatus = (
  objects: readonly ObjectStatus[],
  part: Partial<OperatorStatus> = {},
): OperatorStatus => ({
  problems: [],
  objects,
  pendingRemovals: [],
  isSettled: true,
  ...part,
});

const makeLogin = (name: string): Login => ({
  key: `default/${name}`,
  username: name,
  domain: "example.com",
  password: "x",
});

test("only logins whose SipUser is Ready are selected", () => {
  const logins = [makeLogin("alice"), makeLogin("bob"), makeLogin("carol")];
  const status = makeStatus([
    makeObject("SipUser", "alice"),
    makeObject("SipUser", "bob", "Conflict"),
    makeObject("SipDomain", "carol"),
  ]);
  expect(selectReadyLogins(logins, status)).toEqual([makeLogin("alice")]);
  expect(selectReadyLogins(logins, undefined)).toEqual([]);
});

test("missing logins are explained by a SipCluster that is not Ready, a problem of the YAML, or another object that is not Ready", () => {
  const user = makeObject("SipUser", "alice", "DomainNotFound");
  const cluster = makeObject("SipCluster", "exchange", "DatabaseTaken");
  expect(explainMissingLogins(makeStatus([user, cluster]))).toBe(
    "SipCluster default/exchange is not Ready: DatabaseTaken: words (generation 1)",
  );
  expect(explainMissingLogins(makeStatus([user], { problems: ["a.yaml:1: no"] }))).toBe("a.yaml:1: no");
  expect(explainMissingLogins(makeStatus([user, cluster], { problems: ["a.yaml:1: no"] }))).toMatch(
    /^SipCluster default\/exchange/,
  );
  expect(explainMissingLogins(makeStatus([makeObject("SipUser", "alice")]))).toBeUndefined();
  expect(explainMissingLogins(undefined)).toBe("the operator does not answer");
});

test("objects that are not Ready, invalid or retained are listed; long lists are cut, with a count", () => {
  expect(describeProblems(makeStatus([makeObject("SipUser", "alice")]), true)).toEqual([]);
  const users = Array.from({ length: 25 }, (_, index) =>
    makeObject("SipUser", `u${10 + index}`, "DomainNotFound"),
  );
  const retained = [{ kind: "SipUser", key: "default/gone", isRetained: true }];
  const lines = describeProblems(
    makeStatus(users, { problems: ["a.yaml:1: no"], pendingRemovals: retained }),
    true,
  );
  expect(lines).toEqual([
    "  Problems of the YAML:",
    "    a.yaml:1: no",
    "  Not Ready:",
    ...users.slice(0, 20).map(({ key, state }) => `    SipUser ${key}: ${state}`),
    "    ... and 5 more",
    "  Deleted from the YAML:",
    expect.stringContaining("default/gone"),
    expect.stringContaining("npm start -- --fresh"),
    "",
  ]);
});

test("--fresh is suggested only for the private database, and only if earlier data is the cause", () => {
  const taken = makeStatus([makeObject("SipCluster", "exchange", "DatabaseTaken")]);
  const missing = makeStatus([makeObject("SipUser", "alice", "DomainNotFound")]);
  const suggestsFresh = (lines: readonly string[]) => lines.some((line) => line.includes("--fresh"));
  expect([
    suggestsFresh(describeProblems(taken, true)),
    suggestsFresh(describeProblems(taken, false)),
    suggestsFresh(describeProblems(missing, true)),
  ]).toEqual([true, false, false]);
});
