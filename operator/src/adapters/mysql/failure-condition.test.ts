import { expect, test } from "vitest";
import { ApiRefused } from "../kube/api-error.ts";
import { DatabaseUnavailable } from "./database-unavailable.ts";
import { UnusableAddress } from "./failure.ts";
import { LeadershipLost } from "./installation.ts";
import { outlinedFailureCondition, failureCondition } from "./failure-condition.ts";

const denied = Object.assign(
  new Error("INSERT command denied to user 'op'@'10.1.2.3' for table `subscriber`"),
  {
    errno: 1142,
  },
);
const forbidden = JSON.stringify({ kind: "Status", message: "secrets admin is forbidden: User operator" });

test.each([
  ["a right that the operator's user lacks", denied, "InternalError"],
  ["a Secret that may not be read", new ApiRefused("GET Secret tel/admin", 403, forbidden), "InternalError"],
  [
    "a Secret that is not there",
    new UnusableAddress("SecretNotFound", "no Secret tel/admin"),
    "DatabaseUnavailable",
  ],
  ["a host that is gone", new DatabaseUnavailable(new Error("connect 10.1.2.3:3306")), "DatabaseUnavailable"],
])("%s: users and domains get no details, the SipCluster does", (_what, error, reason) => {
  const condition = outlinedFailureCondition(error);
  expect(condition?.reason).toBe(reason);
  expect(condition?.message).not.toMatch(/10\.1|op'|admin|tel|denied|forbidden/);
  expect(failureCondition(error).message).toContain(error.message);
});

test("a process that is not the leader any more writes no condition", () =>
  expect(outlinedFailureCondition(new LeadershipLost())).toBeUndefined());
