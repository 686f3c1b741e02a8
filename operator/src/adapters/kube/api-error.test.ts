import { expect, test } from "vitest";
import { ApiRefused, ApiUnreachable, isAbsence, isUnacceptable } from "./api-error.ts";
import { resourceTypes } from "./resource-type.ts";

const { SipUser, Secret } = resourceTypes;

const notFound = (details: object): string =>
  JSON.stringify({ kind: "Status", status: "Failure", reason: "NotFound", message: "not found", details });

const refused = (status: number, body: string): ApiRefused =>
  new ApiRefused("GET SipUser tel/a", status, body);

test("a 404 Status that names the object proves its absence", () => {
  const body = notFound({ name: "a", group: "sip.strowger.dev", kind: "sipusers" });
  expect(isAbsence(refused(404, body), SipUser, "a")).toBe(true);
  expect(isAbsence(refused(404, notFound({ name: "a", kind: "secrets" })), Secret, "a")).toBe(true);
});

test("nothing else proves it: another name, kind or group, a plain 404, 403, no response", () => {
  const unproven: readonly unknown[] = [
    refused(404, notFound({ name: "b", group: "sip.strowger.dev", kind: "sipusers" })),
    refused(404, notFound({ name: "a", group: "sip.strowger.dev", kind: "sipdomains" })),
    refused(404, notFound({ name: "a", kind: "sipusers" })),
    refused(404, "404 page not found\n"),
    refused(404, '{"kind":"Status","reason":"NotFound","message":"the server could not find the resource"}'),
    refused(404, "null"),
    refused(403, notFound({ name: "a", group: "sip.strowger.dev", kind: "sipusers" })),
    new ApiUnreachable("GET SipUser tel/a", new Error("connection refused")),
    undefined,
  ];
  expect(unproven.map((error) => isAbsence(error, SipUser, "a"))).toEqual(unproven.map(() => false));
});

test("the message contains the request and the response", () => {
  expect(refused(403, '{"kind":"Status","message":"sipusers is forbidden"}').message).toBe(
    "GET SipUser tel/a: 403 sipusers is forbidden",
  );
  expect(refused(502, "<html>bad gateway</html>").message).toContain("bad gateway");
  expect(refused(500, "").message).toBe("GET SipUser tel/a: 500 without a body");
});

test.each([
  [422, "is invalid", true],
  [403, "is forbidden", true],
  [
    500,
    "failed to create typed patch object (n/a; apps/v1, Kind=Deployment): .x: field not declared in schema",
    true,
  ],
  [500, "etcdserver: request timed out", false],
  [409, "the object has been modified", false],
  [429, "too many requests", false],
])("%i %s: whether it will be refused again", (status, message, is) =>
  expect(isUnacceptable(refused(status, JSON.stringify({ kind: "Status", message })))).toBe(is),
);

test("no response: the message contains the innermost reason", () => {
  const cause = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:6443") });
  expect(new ApiUnreachable("GET SipUser tel/a", cause).message).toBe(
    "GET SipUser tel/a: connect ECONNREFUSED 127.0.0.1:6443",
  );
});
