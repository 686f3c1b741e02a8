/** SipCluster → objects. The files are what a person reads to see what the operator makes; `vitest -u` writes them anew. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { KubernetesObject } from "../runtime/object.ts";
import type { Manifest } from "../runtime/manifests.ts";
import { decide } from "./decide.ts";
import {
  makeDatabase,
  makeFleet,
  makeClusterState,
} from "../../../test/support/operator/cluster-fixtures.ts";
import { labelsOf, namesOf } from "./manifests/names.ts";
import { parseSipCluster } from "./resource.ts";
import type { FleetState } from "./current-state.ts";

interface Case {
  readonly object: KubernetesObject;
  readonly service: Readonly<Record<string, unknown>>;
  readonly metricsFrom?: readonly unknown[];
  readonly nodePull?: FleetState["nodePull"];
}

const folder = new URL("golden/", import.meta.url);

/** Every object that is written for a SipCluster of which only the Service is there, and has got its address. */
function objectsOf(name: string): readonly Manifest[] {
  const { object, service, metricsFrom, nodePull } = parse(
    readFileSync(new URL(`${name}.in.yaml`, folder), "utf8"),
  ) as Case;
  const cluster = parseSipCluster(object);
  const { namespace } = cluster.reference;
  const metadata = { namespace, name: namesOf(cluster).service, labels: labelsOf(cluster.reference.name) };
  const live: Manifest = { apiVersion: "v1", kind: "Service", metadata, ...service };
  const fleet = makeFleet({
    live: new Map([[`Service/${metadata.name}`, live]]),
    ...(metricsFrom === undefined ? {} : { metricsFrom }),
    ...(nodePull === undefined ? {} : { nodePull }),
  });
  const holder = { ...cluster.reference, uid: cluster.uid };
  const { actions } = decide(cluster, makeClusterState({ fleet, database: makeDatabase({ holder }) }));
  return actions.flatMap((action) => ("manifest" in action ? [withoutNote(action.manifest)] : []));
}

/** The note is a hash of everything else. */
function withoutNote(manifest: Manifest): Manifest {
  const { annotations = {}, ...metadata } = manifest.metadata;
  const others = Object.entries(annotations).filter(([name]) => name !== "sip.strowger.dev/applied");
  return {
    ...manifest,
    metadata: others.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(others) },
  };
}

test.each(["default", "full", "node-port"])("%s", async (name) => {
  const text = objectsOf(name)
    .map((manifest) => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
  await expect(text).toMatchFileSnapshot(new URL(`${name}.out.yaml`, folder).pathname);
});

/**
 * A pod template that changes with the operator makes its upgrade start every node of every exchange anew. If that must be, put the new hash
 * here and say it in CHANGELOG.md.
 */
test("the pod template equals that of the last release: an upgrade of the operator restarts no node", () => {
  const deployment = objectsOf("default").find(({ kind }) => kind === "Deployment") as unknown as {
    readonly spec: { readonly template: unknown };
  };
  const hash = createHash("sha256").update(JSON.stringify(deployment.spec.template)).digest("hex");
  expect(hash.slice(0, 16)).toBe("775713368b5e20d3");
});
