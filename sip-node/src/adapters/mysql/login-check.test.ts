import { expect, test } from "vitest";
import { LoginCheck } from "./login-check.ts";

test("each change is reported once: a problem, another problem, and none", async () => {
  const outcomes = [undefined, "denied", "denied", "too many connections", undefined, undefined];
  const changes: string[] = [];
  const check = new LoginCheck(
    () => {
      const outcome = outcomes.shift();
      return outcome === undefined ? Promise.resolve() : Promise.reject(new Error(outcome));
    },
    (problem) => changes.push(problem),
  );
  const problems: string[] = [];
  while (outcomes.length > 0) {
    await check.check();
    problems.push(check.problem);
  }
  expect(changes).toEqual(["denied", "too many connections", ""]);
  expect(problems).toEqual(["", "denied", "denied", "too many connections", "", ""]);
});

test("the text fits its column, and is empty only after a success", async () => {
  const failures = [new Error("x".repeat(300)), Object.assign(new Error(""), { code: "ECONNREFUSED" })];
  const check = new LoginCheck(
    () => Promise.reject(failures.shift() ?? new Error("asked too often")),
    () => undefined,
  );
  await check.check();
  expect(check.problem).toBe("x".repeat(255));
  await check.check();
  expect(check.problem).toBe("ECONNREFUSED");
});
