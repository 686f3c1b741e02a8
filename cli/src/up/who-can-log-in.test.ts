import { expect, test } from "vitest";
import type { Login } from "./exchange.ts";
import type { ObjectView, OperatorView } from "./operator-view.ts";
import { notAsWanted } from "./summary.ts";
import { whoCanLogIn, whyNot } from "./who-can-log-in.ts";

const object = (kind: string, name: string, reason?: string): ObjectView => ({
  kind,
  key: `default/${name}`,
  state: reason === undefined ? "Ready (generation 1)" : `${reason}: words (generation 1)`,
  isReady: reason === undefined,
  isPending: false,
});

const view = (objects: readonly ObjectView[], part: Partial<OperatorView> = {}): OperatorView => ({
  problems: [],
  objects,
  leaving: [],
  isSettled: true,
  ...part,
});

const login = (name: string): Login => ({
  key: `default/${name}`,
  username: name,
  domain: "example.com",
  password: "x",
});

test("who can log in is who is Ready, whatever the YAML says", () => {
  const logins = [login("alice"), login("bob"), login("carol")];
  const seen = view([
    object("SipUser", "alice"),
    object("SipUser", "bob", "Conflict"),
    object("SipDomain", "carol"),
  ]);
  expect(whoCanLogIn(logins, seen)).toEqual([login("alice")]);
  expect(whoCanLogIn(logins, undefined)).toEqual([]);
});

test("a failure is explained by the YAML's problem, else by what others depend on", () => {
  const user = object("SipUser", "alice", "DomainNotFound");
  const cluster = object("SipCluster", "exchange", "DatabaseTaken");
  expect(whyNot(view([user, cluster]))).toBe(
    "SipCluster default/exchange is not Ready: DatabaseTaken: words (generation 1)",
  );
  expect(whyNot(view([user], { problems: ["a.yaml:1: no"] }))).toBe("a.yaml:1: no");
  expect(whyNot(view([user, cluster], { problems: ["a.yaml:1: no"] }))).toMatch(
    /^SipCluster default\/exchange/,
  );
  expect(whyNot(view([object("SipUser", "alice")]))).toBeUndefined();
  expect(whyNot(undefined)).toBe("the operator does not answer");
});

test("what is not Ready, not valid or not removed is listed; many of it are counted", () => {
  expect(notAsWanted(view([object("SipUser", "alice")]), true)).toEqual([]);
  const users = Array.from({ length: 25 }, (_, index) =>
    object("SipUser", `u${10 + index}`, "DomainNotFound"),
  );
  const kept = [{ kind: "SipUser", key: "default/gone", isKept: true }];
  const lines = notAsWanted(view(users, { problems: ["a.yaml:1: no"], leaving: kept }), true);
  expect(lines).toEqual([
    "  Problems of the YAML:",
    "    a.yaml:1: no",
    "  Not Ready:",
    ...users.slice(0, 20).map(({ key, state }) => `    SipUser ${key}: ${state}`),
    "    ... and 5 more",
    "  Gone from the YAML:",
    expect.stringContaining("default/gone"),
    expect.stringContaining("npm start -- --fresh"),
    "",
  ]);
});

test("--fresh is named where it helps: not with a database of the user's own, nor where nothing earlier is in the way", () => {
  const taken = view([object("SipCluster", "exchange", "DatabaseTaken")]);
  const missing = view([object("SipUser", "alice", "DomainNotFound")]);
  const names = (lines: readonly string[]) => lines.some((line) => line.includes("--fresh"));
  expect([
    names(notAsWanted(taken, true)),
    names(notAsWanted(taken, false)),
    names(notAsWanted(missing, true)),
  ]).toEqual([true, false, false]);
});
