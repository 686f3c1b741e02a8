/** The results of the checks. Logins on a real server: test/parts/operator/installations.test.ts. */
import { expect, test } from "vitest";
import { DatabaseUnavailable } from "../adapters/mysql/database-unavailable.ts";
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import { UnusableAddress } from "../adapters/mysql/failure.ts";
import { LoginChecks, type LoginTries } from "./login-checks.ts";

const denied = new DatabaseUnavailable(Object.assign(new Error("Access denied"), { errno: 1045 }));
const away = new DatabaseUnavailable(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
const noSecret = new UnusableAddress("SecretNotFound", "there is no Secret");
const fine = (): Promise<undefined> => Promise.resolve(undefined);
const fails = (error: Error) => () => Promise.reject(error);
const tries = (more: Partial<LoginTries> = {}): LoginTries => ({ operator: fine, nodes: fine, ...more });
const address = { user: "sip" } as DatabaseAddress;

function makeChecks(tryLogin: (address: DatabaseAddress) => Promise<void> = fine) {
  let now = 0;
  const checks = new LoginChecks(tryLogin, () => now);
  const reasons = async (attempts: LoginTries): Promise<(string | undefined)[]> => {
    await checks.check(attempts);
    const { operator, nodes } = checks.problems;
    return [operator?.reason, nodes?.reason];
  };
  return { checks, reasons, pass: (ms: number) => (now += ms) };
}

test("each login has its own problem, which ends when it works", async () => {
  const { reasons } = makeChecks((login) => (login.user === "sip" ? Promise.reject(denied) : fine()));
  expect(await reasons(tries({ operator: fails(noSecret) }))).toEqual(["SecretNotFound", undefined]);
  expect(await reasons(tries({ nodes: () => Promise.resolve(address) }))).toEqual([
    undefined,
    "DatabaseAccessDenied",
  ]);
  expect(await reasons(tries({ nodes: fails(noSecret) }))).toEqual([undefined, "SecretNotFound"]);
  expect(await reasons(tries())).toEqual([undefined, undefined]);
});

test("an outage, or an unreachable API server, changes no result", async () => {
  const { reasons } = makeChecks();
  expect(await reasons(tries({ operator: fails(away) }))).toEqual([undefined, undefined]);
  await reasons(tries({ operator: fails(denied) }));
  expect(await reasons(tries({ operator: fails(away) }))).toEqual(["DatabaseAccessDenied", undefined]);
  expect(await reasons(tries({ operator: fails(new Error("API server")) }))).toEqual([
    "DatabaseAccessDenied",
    undefined,
  ]);
});

test("a login is tried once a minute, one check after the other, and a forgotten check stores no result", async () => {
  const { checks, pass } = makeChecks();
  expect(checks.isDue()).toBe(true);
  const held = Promise.withResolvers<undefined>();
  const order: string[] = [];
  const first = checks.check(tries({ operator: () => (order.push("first"), held.promise) }));
  const second = checks.check(tries({ operator: () => (order.push("second"), Promise.reject(denied)) }));
  await Promise.resolve();
  await Promise.resolve();
  expect(order).toEqual(["first"]);
  pass(59_999);
  expect(checks.isDue()).toBe(false);
  pass(1);
  expect(checks.isDue()).toBe(true);
  checks.forget();
  held.resolve(undefined);
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
  expect(checks.problems).toEqual({});
});
