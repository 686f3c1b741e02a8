/** Strowger as a platform team installs it: the chart with helm, then `examples/kubernetes`, with its database inside or outside the cluster. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { hosts } from "../support/kubernetes/kube-cluster.ts";
import type { ProxyMode } from "../support/kubernetes/kube-node.ts";
import { startMariadb, type TestMariadb } from "../support/mariadb.ts";
import type { Endpoint, PhoneLogin } from "../support/phone.ts";
import {
  openEndToEndCluster,
  type PhonesHost,
  phonesHost,
  type EndToEndCluster,
} from "./end-to-end-cluster.ts";
import { logProgress } from "./log-progress.ts";

interface ExchangePlan {
  readonly proxyMode: ProxyMode;
  /** `inside`: the MariaDB of the examples; `outside`: one outside the cluster. */
  readonly database: "inside" | "outside";
}

export const namespace = "telephony";
export const operatorNamespace = "strowger-system";
export const release = "strowger";
export const domain = "strowger.example";

const root = resolve(import.meta.dirname, "../..");

export class InstalledExchange implements AsyncDisposable {
  readonly cluster: EndToEndCluster;
  readonly #database: TestMariadb | undefined;
  readonly #overlay: string;

  private constructor(cluster: EndToEndCluster, overlay: string, database?: TestMariadb) {
    this.cluster = cluster;
    this.#overlay = overlay;
    this.#database = database;
  }

  /** Opens a cluster in which Strowger is not installed yet. */
  static async open(plan: ExchangePlan): Promise<InstalledExchange> {
    const cluster = await openEndToEndCluster(plan.proxyMode, plan.database);
    const overlay = await mkdtemp(join(tmpdir(), "strowger-examples-"));
    const outside = plan.database === "outside" && cluster.own;
    const host = outside && { namespace: outside.kubeCluster.namespace("db"), address: hosts.db.address };
    const database = host ? await startMariadb({ host }) : undefined;
    if (database) await createLogins(database);
    await writeFile(
      join(overlay, "kustomization.yaml"),
      JSON.stringify(overlayOf(cluster, overlay, database)),
    );
    return new InstalledExchange(cluster, overlay, database);
  }

  /** Runs `helm install`; resolves when the operator runs. */
  async helmInstall(): Promise<void> {
    const { operatorImage, sipNodeImage, client } = this.cluster;
    logProgress("helm install");
    const values = [
      ...imageValues("image", operatorImage),
      ...imageValues("sipNode.image", sipNodeImage),
    ].flatMap((value) => ["--set-string", value]);
    const chart = join(root, "charts/strowger");
    const where = ["--namespace", operatorNamespace, "--create-namespace", "--wait", "--timeout", "3m"];
    logProgress(await client.helm(["install", release, chart, ...where, ...values], { timeoutMs: 240_000 }));
  }

  /** Runs `kubectl apply -k`; resolves when all objects are Ready. */
  async applyExamples(): Promise<void> {
    logProgress("kubectl apply -k examples/kubernetes");
    logProgress(await this.kubectl("apply", "-k", this.#overlay));
    for (const kind of ["sipclusters", "sipdomains", "sipusers"])
      await this.kubectl("wait", "--for=condition=Ready", kind, "--all", "-n", namespace, "--timeout=240s");
    logProgress(`\n${await this.kubectl("get", "sip,pods,services", "-n", namespace, "-o", "wide")}`);
  }

  /** Deletes the CRDs with their objects first, then the rest: the database and the namespace. */
  async removeExamples(): Promise<void> {
    const crds = ["delete", "-f", join(root, "crds"), "--ignore-not-found", "--timeout=60s"];
    await this.kubectl(...crds);
    await this.kubectl("delete", "-k", this.#overlay, "--ignore-not-found", "--timeout=240s");
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    return await this.cluster.client.kubectl(args, { timeoutMs: 300_000 });
  }

  /** The address for phones. */
  async address(): Promise<Endpoint> {
    const status = await this.kubectl(
      "get",
      "sipcluster/exchange",
      "-n",
      namespace,
      "-o",
      "jsonpath={.status.addresses}",
    );
    const [first] = JSON.parse(status) as { readonly host: string; readonly port: number }[];
    if (first === undefined) throw new Error("the exchange has no address");
    return { address: first.host, port: first.port };
  }

  async phonesHost(): Promise<PhonesHost> {
    return await phonesHost(this.cluster, (await this.address()).address);
  }

  /** The login of a user of the examples. */
  async login(username: string): Promise<PhoneLogin> {
    const secret = username === "alice" ? "alice-sip" : `${username}-sip-password`;
    const what = ["get", "secret", secret, "-n", namespace, "-o", "jsonpath={.data.password}"];
    const password = Buffer.from(await this.kubectl(...what), "base64").toString();
    return { username, domain, password };
  }

  /** The Kubernetes node of each of the exchange's pods, by the name of the pod. */
  async pods(): Promise<Readonly<Record<string, string>>> {
    const label = "-lsip.strowger.dev/cluster=exchange,app.kubernetes.io/component=sip-node";
    const list = await this.cluster.client.get<{ readonly items: readonly Pod[] }>(
      "pods",
      "-n",
      namespace,
      label,
    );
    const running = list.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return Object.fromEntries(running.map(({ metadata, spec }) => [metadata.name, spec.nodeName ?? ""]));
  }

  /** Saves the logs of a failed test. */
  async saveLogs(): Promise<void> {
    const cluster = this.cluster.own?.kubeCluster;
    if (cluster) logProgress(`a test failed; its logs are in ${await cluster.saveLogs()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
    await this.#database?.[Symbol.asyncDispose]();
    await rm(this.#overlay, { recursive: true, force: true });
  }
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
}

/** Values of the chart for an image `registry/repository:tag`. */
function imageValues(path: string, image: string): string[] {
  const [, repository = image, tag = "latest"] = /^(.*):([^:/]+)$/.exec(image) ?? [];
  return [`${path}.repository=${repository}`, `${path}.tag=${tag}`];
}

/** A kustomization of the examples with another database image, or without the database if it is outside. */
function overlayOf(cluster: EndToEndCluster, folder: string, database: TestMariadb | undefined): object {
  const examples = relative(folder, join(root, "examples/kubernetes"));
  const [newName, newTag] = cluster.mariadbImage?.split(/:(?=[^:]*$)/) ?? [];
  const images = newName ? [{ name: "docker.io/library/mariadb", newName, newTag }] : [];
  const name = { metadata: { name: "mariadb", namespace } };
  const remove = (apiVersion: string, kind: string) => ({
    patch: JSON.stringify({ $patch: "delete", apiVersion, kind, ...name }),
  });
  const outsideHost = {
    target: { kind: "SipCluster" },
    patch: JSON.stringify([{ op: "replace", path: "/spec/mysql/hosts", value: [hosts.db.address] }]),
  };
  const patches = database ? [outsideHost, remove("apps/v1", "StatefulSet"), remove("v1", "Service")] : [];
  return {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [examples],
    images,
    patches,
  };
}

/** Creates the database and the users as the database of the examples does. */
async function createLogins(database: TestMariadb): Promise<void> {
  for (const statement of [
    "CREATE DATABASE opensips CHARACTER SET utf8mb4",
    "CREATE USER 'strowger_admin'@'%' IDENTIFIED BY 'change-this-admin-password'",
    "GRANT ALL PRIVILEGES ON opensips.* TO 'strowger_admin'@'%'",
    "CREATE USER 'strowger_node'@'%' IDENTIFIED BY 'change-this-node-password'",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON opensips.* TO 'strowger_node'@'%'",
  ])
    await database.query(statement);
}
