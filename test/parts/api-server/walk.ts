/** A walk through everything that an operator does in Kubernetes: objects of all kinds made, changed and removed, for a test of its rights. */
import { type House, secret, sipCluster, sipDomain, sipUser } from "./house.ts";

const namespace = "tenant";
const domainRef = { name: "round" };

/** Applies everything; resolves when the last of it is served. */
export async function beginWalk(house: House): Promise<void> {
  await house.namespace(namespace, { tenant: "yes" });
  await house.apply(
    // No controller makes it, and no pod is admitted without it.
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } },
    sipCluster("round", house.mysql(), {
      allowedDomains: [{ namespaces: { selector: { matchLabels: { tenant: "yes" } } } }],
    }),
    sipDomain("round", "round.example", { clusterRef: { name: "round", namespace: "default" } }, namespace),
    secret("said-secret", { password: "x" }, { namespace }),
    sipUser("said", { domainRef }, namespace),
    sipUser("made", { domainRef, generatePassword: true }, namespace),
    sipUser("lacking", { domainRef }, namespace),
  );
  await house.becomes("SipUser", "said", "Reconciled", namespace);
  await house.patch("SipCluster", "round", {
    metadata: { annotations: { "sip.strowger.dev/rotate-keys": "now" } },
  });
  await house.apply(runningPod);
  const status = { status: { phase: "Running", podIP: "192.0.2.50" } };
  await house.server.kubectl([
    ...["patch", "pod", "round-nodes-x", "--subresource=status", "--type=merge"],
    ...["-p", JSON.stringify(status)],
  ]);
  await house.becomes("SipUser", "made", "Reconciled", namespace);
}

/** Changes what is there and takes it away again. */
export async function goOn(house: House): Promise<void> {
  await house.apply(secret("said-secret", { password: "new" }, { namespace }));
  for (const round of [1, 2]) {
    // What was said before is counted, not said again.
    await house.becomes("SipUser", "lacking", "SecretNotFound", namespace);
    await house.apply(secret("lacking-secret", { password: String(round) }, { namespace }));
    await house.becomes("SipUser", "lacking", "Reconciled", namespace);
    await house.server.kubectl(["delete", "secret", "lacking-secret", "-n", namespace]);
  }
  await house.becomes("SipUser", "lacking", "SecretNotFound", namespace);
  await house.patch("SipCluster", "round", {
    spec: { peers: ["192.0.2.9"], drain: { timeoutSeconds: 100 } },
  });
  await leaveService(house);
  await house.remove("SipUser", "made", namespace);
  await house.vanishes("SipUser", "made", namespace);
}

/** A Service of another mode, as an operator that served it has left one: the present one removes it. */
async function leaveService(house: House): Promise<void> {
  const uid = await house.server.kubectl(["get", "sipcluster", "round", "-o", "jsonpath={.metadata.uid}"]);
  const owner = {
    apiVersion: "sip.strowger.dev/v1alpha1",
    kind: "SipCluster",
    name: "round",
    uid,
    controller: true,
  };
  await house.apply({
    ...{ apiVersion: "v1", kind: "Service" },
    metadata: {
      ...{ name: "round-udp", namespace: "default", ownerReferences: [owner] },
      labels: { "sip.strowger.dev/cluster": "round" },
    },
    spec: { ports: [{ name: "sip-udp", port: 5060, protocol: "UDP" }] },
  });
}

/**
 * While no operator runs, everything goes and the SipCluster comes back as after a restore: whoever leads then reads each object by itself
 * before it takes the database over and sweeps.
 */
export async function restoreWithout(house: House): Promise<void> {
  for (const [kind, name, where] of [
    ["SipUser", "said", namespace],
    ["SipDomain", "round", namespace],
    ["SipCluster", "round", "default"],
  ] as const) {
    await house.patch(kind, name, { metadata: { finalizers: null } }, where);
    await house.remove(kind, name, where);
    await house.vanishes(kind, name, where);
  }
  await house.database.query("UPDATE strowger_meta SET leader_beat_at = 1"); // a minute has passed
  await house.apply(sipCluster("round", house.mysql()));
}

/** As the Deployment of a SipCluster makes it. */
const runningPod = {
  ...{ apiVersion: "v1", kind: "Pod" },
  metadata: {
    ...{ name: "round-nodes-x", namespace: "default" },
    labels: { "sip.strowger.dev/cluster": "round", "app.kubernetes.io/component": "sip-node" },
  },
  spec: { containers: [{ name: "sip-node", image: "none" }] },
};
