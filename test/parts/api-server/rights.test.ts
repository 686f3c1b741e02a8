/** The chart's roles give the operator exactly the rights that it uses. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { AuditLog, type AuditedRequest } from "./audit-log.ts";
import { eventually } from "./eventually.ts";
import {
  OperatorEnvironment,
  operatorNamespace,
  secret,
  sipCluster,
  sipDomain,
  sipUser,
} from "./operator-environment.ts";
import { operatorManifests, type Role } from "./operator-manifests.ts";
import { createObjects, changeObjects, restoreCluster } from "./all-operations.ts";

const account = `system:serviceaccount:${operatorNamespace}:strowger-operator`;

/** Rights that this test does not use, and why the operator needs them. */
const rare: Readonly<Record<string, string>> = {
  "get pods": "a pod that is deleted between the read and its annotation",
};

const databases = ["one", "two", "three", "four"];

let audit: AuditLog;
let environment: OperatorEnvironment;
let roles: readonly Role[];

beforeAll(async () => {
  audit = new AuditLog();
  ({ roles } = await operatorManifests(operatorNamespace));
  environment = await OperatorEnvironment.start({ arguments: audit.arguments, databases });
});

afterAll(async () => {
  await (environment as OperatorEnvironment | undefined)?.[Symbol.asyncDispose]();
  audit[Symbol.dispose]();
});

afterEach(() => environment.endOperators());

/** For example `get secrets`. An apply that created the object needs `create` and `patch`. */
function rightsOf({ verb, resource, code }: AuditedRequest): readonly string[] {
  const right = `${verb} ${resource}`;
  return verb === "patch" && code === 201 ? [right, `create ${resource}`] : [right];
}

const used = (): ReadonlySet<string> => new Set(audit.requestsOf(account).flatMap(rightsOf));
const refused = (): readonly string[] => [
  ...new Set(
    audit
      .requestsOf(account)
      .filter(({ code }) => code === 403)
      .flatMap(rightsOf),
  ),
];
const grantedRights = (): readonly string[] =>
  roles.flatMap(({ rules }) =>
    rules.flatMap(({ verbs, resources }) =>
      verbs.flatMap((verb) => resources.map((resource) => `${verb} ${resource}`)),
    ),
  );

test("no request is refused, and every right of the chart is used", async () => {
  const first = await environment.leader();
  await createObjects(environment);
  await changeObjects(environment);
  await first.end();
  await restoreCluster(environment);
  const operator = await environment.leader();
  const unused = (): readonly string[] =>
    grantedRights().filter((right) => !used().has(right) && !(right in rare));
  await eventually("every right was used", () => unused().length === 0, {
    more: () => `not used: ${unused().join(", ")}\n${operator.log.slice(-3_000)}`,
  });
  expect(refused()).toEqual([]);
});

/** The roles without one right. */
async function without(verb: string, resource: string): Promise<void> {
  const poorer = roles.map((role) => ({
    ...role,
    rules: role.rules.flatMap((rule) =>
      rule.resources.includes(resource)
        ? [
            { ...rule, resources: rule.resources.filter((other) => other !== resource) },
            { ...rule, resources: [resource], verbs: rule.verbs.filter((other) => other !== verb) },
          ].filter(({ resources, verbs }) => resources.length > 0 && verbs.length > 0)
        : [rule],
    ),
  }));
  await environment.apply(...poorer);
}

test.for([
  ["list", "services"],
  ["get", "leases"],
] as const)("without %s %s: refused, and there is no leader", async ([verb, resource]) => {
  await without(verb, resource);
  const operator = await environment.operator();
  await eventually("it is refused", () => refused().includes(`${verb} ${resource}`));
  expect(await operator.leads()).toBe(false);
});

test.for([
  ["get", "secrets", "SipUser", "one"],
  ["patch", "sipusers", "SipUser", "two"],
  ["patch", "sipusers/status", "SipUser", "three"],
  ["patch", "deployments", "SipCluster", "four"],
] as const)("without %s %s: refused, and the %s is not Ready", async ([verb, resource, kind, name]) => {
  await without(verb, resource);
  await environment.leader();
  await environment.apply(
    sipCluster(name, environment.mysql(name)),
    sipDomain(name, `${name}.example`, { clusterRef: { name } }),
    secret(`${name}-secret`, { password: "x" }),
    sipUser(name, { domainRef: { name } }),
  );
  await eventually("it is refused", () => refused().includes(`${verb} ${resource}`));
  expect((await environment.condition(kind, name))?.status).not.toBe("True");
});
