/**
 * An upgrade of the CRDs with stored objects that the new rules would refuse. Stored objects still work: other fields can be changed, status
 * and finalizers can be written, and the objects can be deleted. An invalid field must be corrected only when it is changed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { ApiServer } from "../../support/kubernetes/api-server.ts";

const api = "sip.strowger.dev/v1alpha1";
const crds = join(import.meta.dirname, "../../../crds");

let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start();
  await server.installCrds();
  for (const file of readdirSync(crds)) {
    const current = parse(readFileSync(join(crds, file), "utf8")) as unknown;
    await server.kubectl(["apply", "--server-side", "-f", "-"], {
      input: JSON.stringify(withoutRules(current)),
    });
  }
  await untilOldRules();
  const objects = [
    ["SipUser", "star", { domainRef: { name: "d" }, username: "*", passwordSecretRef: { name: "s" } }],
    ["SipUser", "none", { domainRef: { name: "d" }, username: "none" }],
    [
      "SipUser",
      "wild",
      { domainRef: { name: "D_" }, username: "a b", maxContacts: 1000, generatePassword: true },
    ],
    ["SipDomain", "invalid", { clusterRef: { name: "c" }, domain: "x.invalid", aliases: ["-"] }],
    ["SipCluster", "1st.exchange", { peers: ["1.2.3"], version: "1", image: "2" }],
  ] as const;
  for (const [kind, name, spec] of objects)
    await server.apply(
      JSON.stringify({
        apiVersion: api,
        kind,
        metadata: { name, finalizers: ["sip.strowger.dev/rows"] },
        spec,
      }),
    );
  await server.installCrds();
  await untilNewRules();
});

afterAll(() => (server as ApiServer | undefined)?.[Symbol.asyncDispose]());

const stored = [
  ["sipuser", "star"],
  ["sipuser", "none"],
  ["sipuser", "wild"],
  ["sipdomain", "invalid"],
  ["sipcluster", "1st.exchange"],
] as const;

test.for(stored)("%s %s gets labels, annotations and a status", async ([kind, name]) => {
  await server.kubectl(["label", kind, name, "team=voice"]);
  await server.kubectl(["annotate", kind, name, "sip.strowger.dev/paused=true"]);
  const status = JSON.stringify({ status: { observedGeneration: 1 } });
  await server.kubectl(["patch", kind, name, "--subresource=status", "--type=merge", "-p", status]);
});

const patch = (kind: string, name: string, spec: object): Promise<string> =>
  server.kubectl(["patch", kind, name, "--type=merge", "-p", JSON.stringify({ spec })]);

test("a valid field beside an invalid one can be changed", async () => {
  await patch("sipuser", "star", { enabled: false });
  await patch("sipdomain", "invalid", { enabled: false });
  await patch("sipuser", "wild", { displayName: "Wild" });
});

test("an invalid field can stay, and can be corrected", async () => {
  await expect(patch("sipuser", "wild", { maxContacts: 1001 })).rejects.toThrow(/maxContacts/);
  await patch("sipuser", "wild", { maxContacts: 100 });
  await expect(patch("sipdomain", "invalid", { aliases: ["-", "--"] })).rejects.toThrow(/aliases/);
  await patch("sipdomain", "invalid", { aliases: [] });
});

test("a rule of several fields is checked again when a field of the spec changes", async () => {
  await expect(patch("sipuser", "none", { enabled: false })).rejects.toThrow(/set one of/);
  await patch("sipuser", "none", { enabled: false, passwordSecretRef: { name: "s" } });
});

test("an immutable field is immutable even with an invalid value", async () => {
  await expect(patch("sipuser", "star", { username: "alice" })).rejects.toThrow(/username is immutable/);
});

test.for(stored)("a deleted %s %s loses its finalizer", async ([kind, name]) => {
  await server.kubectl(["delete", kind, name, "--wait=false"]);
  await server.kubectl(["patch", kind, name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
  await expect(server.get(kind, name)).rejects.toThrow(/not found/i);
});

/** The CRD of a possible older version: the same fields with any value. */
function withoutRules(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRules);
  if (typeof value !== "object" || value === null) return value;
  const rules = /^(x-kubernetes-validations|pattern|maximum|maxLength|maxItems|maxProperties)$/;
  const kept = Object.entries(value).filter(
    ([name, field]) => !rules.test(name) || (typeof field === "object" && !Array.isArray(field)),
  );
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutRules(field)]));
}

/** A changed CRD takes effect shortly after it was written. */
const untilOldRules = (): Promise<void> =>
  until(() =>
    createDryRun("*").then(
      () => true,
      () => false,
    ),
  );
const untilNewRules = (): Promise<void> =>
  until(() =>
    createDryRun("*").then(
      () => false,
      () => true,
    ),
  );

const createDryRun = (username: string): Promise<string> =>
  server.kubectl(["create", "--dry-run=server", "-f", "-"], {
    input: JSON.stringify({
      apiVersion: api,
      kind: "SipUser",
      metadata: { name: "probe" },
      spec: { domainRef: { name: "d" }, username, passwordSecretRef: { name: "s" } },
    }),
  });

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the changed CRD never came into force");
}
