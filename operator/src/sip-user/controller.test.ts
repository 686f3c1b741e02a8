import { expect, test } from "vitest";
import type { Installations } from "../installations.ts";
import { OutageVerdicts } from "../installations/outage-verdicts.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { StatusWriter } from "../runtime/status-writer.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { SipUserController } from "./controller.ts";

/** A user whose status was written for Secret version 7, and a watch that tells `version`. */
function given(
  version: string | undefined,
  spec: object = {},
  status: object = { secretResourceVersion: "7" },
) {
  const source = { secretVersion: () => version } as unknown as Source;
  const users = new SipUserController({
    source,
    installations: {} as Installations,
    status: {} as StatusWriter,
    outages: new OutageVerdicts(new VirtualClock()),
  });
  const object: KubernetesObject = {
    kind: "SipUser",
    metadata: { namespace: "ns", name: "alice", uid: "u", generation: 1 },
    spec: {
      domainRef: { name: "d" },
      username: "alice",
      enabled: true,
      passwordSecretRef: { name: "s", key: "password" },
      ...spec,
    },
    status,
  };
  return { users, object };
}

test("a user is outdated when a watch tells another version of its Secret than its status", () => {
  const isOutdated = ({ users, object }: ReturnType<typeof given>): boolean => users.isOutdated(object);
  expect(isOutdated(given("8"))).toBe(true);
  expect(isOutdated(given("7"))).toBe(false);
  expect(isOutdated(given(undefined))).toBe(false);
  expect(isOutdated(given("8", {}, {}))).toBe(false);
  expect(isOutdated(given("8", { passwordSecretRef: undefined }))).toBe(false);
});

test("`enabled: false` takes something away", () => {
  for (const enabled of [true, false]) {
    const { users, object } = given("7", { enabled });
    expect(users.takesAway(object)).toBe(!enabled);
  }
});
