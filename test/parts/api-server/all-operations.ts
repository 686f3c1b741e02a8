/** Makes an operator do all its operations in Kubernetes, for a test of its rights: creates, changes and deletes objects of all kinds. */
import { type OperatorEnvironment, secret, sipCluster, sipDomain, sipUser } from "./operator-environment.ts";

const namespace = "tenant";
const domainRef = { name: "round" };

/** Creates the objects; resolves when the last user is reconciled. */
export async function createObjects(environment: OperatorEnvironment): Promise<void> {
  await environment.namespace(namespace, { tenant: "yes" });
  await environment.apply(
    // There is no controller that creates it, and no pod is admitted without it.
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } },
    sipCluster("round", environment.mysql(), {
      allowedDomains: [{ namespaces: { selector: { matchLabels: { tenant: "yes" } } } }],
    }),
    sipDomain("round", "round.example", { clusterRef: { name: "round", namespace: "default" } }, namespace),
    secret("said-secret", { password: "x" }, { namespace }),
    sipUser("said", { domainRef }, namespace),
    sipUser("made", { domainRef, generatePassword: true }, namespace),
    sipUser("lacking", { domainRef }, namespace),
  );
  await environment.becomes("SipUser", "said", "Reconciled", namespace);
  await environment.patch("SipCluster", "round", {
    metadata: { annotations: { "sip.strowger.dev/rotate-keys": "now" } },
  });
  await environment.apply(runningPod);
  const status = { status: { phase: "Running", podIP: "192.0.2.50" } };
  await environment.server.kubectl([
    ...["patch", "pod", "round-nodes-x", "--subresource=status", "--type=merge"],
    ...["-p", JSON.stringify(status)],
  ]);
  await environment.becomes("SipUser", "made", "Reconciled", namespace);
}

/** Changes the objects and deletes some of them. */
export async function changeObjects(environment: OperatorEnvironment): Promise<void> {
  await environment.apply(secret("said-secret", { password: "new" }, { namespace }));
  for (const round of [1, 2]) {
    // A repeated Event increases the count of the earlier one.
    await environment.becomes("SipUser", "lacking", "SecretNotFound", namespace);
    await environment.apply(secret("lacking-secret", { password: String(round) }, { namespace }));
    await environment.becomes("SipUser", "lacking", "Reconciled", namespace);
    await environment.server.kubectl(["delete", "secret", "lacking-secret", "-n", namespace]);
  }
  await environment.becomes("SipUser", "lacking", "SecretNotFound", namespace);
  await environment.patch("SipCluster", "round", {
    spec: { peers: ["192.0.2.9"], drain: { timeoutSeconds: 100 } },
  });
  await createUnusedService(environment);
  await environment.remove("SipUser", "made", namespace);
  await environment.vanishes("SipUser", "made", namespace);
}

/** Creates a Service of another mode, as an operator with another configuration did. The operator deletes it. */
async function createUnusedService(environment: OperatorEnvironment): Promise<void> {
  const uid = await environment.server.kubectl([
    "get",
    "sipcluster",
    "round",
    "-o",
    "jsonpath={.metadata.uid}",
  ]);
  const owner = {
    apiVersion: "sip.strowger.dev/v1alpha1",
    kind: "SipCluster",
    name: "round",
    uid,
    controller: true,
  };
  await environment.apply({
    ...{ apiVersion: "v1", kind: "Service" },
    metadata: {
      ...{ name: "round-udp", namespace: "default", ownerReferences: [owner] },
      labels: { "sip.strowger.dev/cluster": "round" },
    },
    spec: { ports: [{ name: "sip-udp", port: 5060, protocol: "UDP" }] },
  });
}

/**
 * Deletes everything while no operator runs, and creates the SipCluster again, as a restore from a backup does. The next leader reads each
 * object by GET before it takes over the database and sweeps.
 */
export async function restoreCluster(environment: OperatorEnvironment): Promise<void> {
  for (const [kind, name, where] of [
    ["SipUser", "said", namespace],
    ["SipDomain", "round", namespace],
    ["SipCluster", "round", "default"],
  ] as const) {
    await environment.patch(kind, name, { metadata: { finalizers: null } }, where);
    await environment.remove(kind, name, where);
    await environment.vanishes(kind, name, where);
  }
  await environment.database.query("UPDATE strowger_meta SET leader_beat_at = 1"); // a minute has passed
  await environment.apply(sipCluster("round", environment.mysql()));
}

/** A pod of the SipCluster's Deployment. */
const runningPod = {
  ...{ apiVersion: "v1", kind: "Pod" },
  metadata: {
    ...{ name: "round-nodes-x", namespace: "default" },
    labels: { "sip.strowger.dev/cluster": "round", "app.kubernetes.io/component": "sip-node" },
  },
  spec: { containers: [{ name: "sip-node", image: "none" }] },
};
