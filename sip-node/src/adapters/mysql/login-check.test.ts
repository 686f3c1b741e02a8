import { expect, test } from "vitest";
import { LoginCheck } from "./login-check.ts";

test("each outcome is told once: what is wrong, and that it is right again", async () => {
  const outcomes = [undefined, "denied", "denied", "too many connections", undefined, undefined];
  const told: string[] = [];
  const check = new LoginCheck(
    () => {
      const outcome = outcomes.shift();
      return outcome === undefined ? Promise.resolve() : Promise.reject(new Error(outcome));
    },
    (problem) => told.push(problem),
  );
  const problems: string[] = [];
  while (outcomes.length > 0) {
    await check.look();
    problems.push(check.problem);
  }
  expect(told).toEqual(["denied", "too many connections", ""]);
  expect(problems).toEqual(["", "denied", "denied", "too many connections", "", ""]);
});

test("the text fits its column, and is none only where it went well", async () => {
  const failures = [new Error("x".repeat(300)), Object.assign(new Error(""), { code: "ECONNREFUSED" })];
  const check = new LoginCheck(
    () => Promise.reject(failures.shift() ?? new Error("asked too often")),
    () => undefined,
  );
  await check.look();
  expect(check.problem).toBe("x".repeat(255));
  await check.look();
  expect(check.problem).toBe("ECONNREFUSED");
});
