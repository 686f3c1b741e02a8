/** A process for the test of the leader election. While it leads, it writes its name into a ConfigMap every 20 ms. */
import { setTimeout as pause } from "node:timers/promises";
import { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import { KubeConnection } from "../../../operator/src/adapters/kube/kube-connection.ts";
import { leaseStore } from "../../../operator/src/adapters/kube/lease-store.ts";
import { resourceTypes } from "../../../operator/src/adapters/kube/resource-type.ts";
import { monotonicClock } from "../../../operator/src/runtime/clock.ts";
import { LeaderElector } from "../../../operator/src/runtime/leader-elector.ts";

const [kubeconfig = "", identity = ""] = process.argv.slice(2);
const print = (word: string): boolean => process.stdout.write(`${word}\n`);

const connection = KubeConnection.fromFile(kubeconfig);
const elector = new LeaderElector(
  leaseStore(new KubeClient(connection), "default", "election"),
  {
    elected: () => print("elected"),
    lost(why) {
      print(`lost: ${why}`);
      process.exit(1);
    },
    follows: (leader) => print(`follows ${leader}`),
    failed: (cause) => print(`failed: ${(cause as Error).message}`),
  },
  {
    identity,
    clock: monotonicClock,
    wallTime: () => Date.now(),
    random: Math.random,
    ...{ leaseDuration: 5_000, renewDeadline: 3_000, retryPeriod: 500 },
  },
);
const guarded = new KubeClient(connection, { mayWrite: () => elector.isLeader });

process.on("SIGTERM", () => {
  void elector.stop().then(() => process.exit(0));
});
elector.start();
print("up");
for (let count = 0; ; count += 1) {
  await pause(20);
  if (!elector.isLeader) continue;
  const objectKey = { namespace: "default", name: "written" };
  const written = { metadata: objectKey, data: { by: identity, count: `${count}` } };
  await guarded
    .apply(resourceTypes.ConfigMap, written, { fieldManager: "test" })
    .catch((error: Error) => print(error.name));
}
