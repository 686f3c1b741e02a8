import { expect, test } from "vitest";
import { OwnSecrets } from "./own-secrets.ts";

const [key, user] = ["ns/alice-sip-password", "ns/alice"] as const;
const secret = { data: {}, resourceVersion: "7", isWatched: true };

test("the user for which a Secret was generated knows its first report, and no later one", () => {
  const secrets = new OwnSecrets();
  secrets.add(key, secret, user);
  expect(secrets.report("ns/other", "7")).toBeUndefined();
  expect(secrets.report(key, "7")).toBe(user);
  expect(secrets.report(key, "7")).toBeUndefined();
});

test("a Secret that was changed or deleted before its first report is new to its user", () => {
  const secrets = new OwnSecrets();
  for (const version of ["8", undefined]) {
    secrets.add(key, secret, user);
    expect(secrets.report(key, version)).toBeUndefined();
    expect(secrets.report(key, "7")).toBeUndefined();
  }
});

test.each([
  ["that was reported already", secret, "7"],
  ["that no watch reports", { ...secret, isWatched: false }, undefined],
  ["without a version", { data: {}, isWatched: true }, undefined],
])("a Secret %s is not stored", (_, found, reported) => {
  const secrets = new OwnSecrets();
  secrets.add(key, found, user, reported);
  expect(secrets.report(key, "7")).toBeUndefined();
});
