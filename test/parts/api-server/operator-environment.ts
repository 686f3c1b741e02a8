/**
 * The environment of an operator: a real API server with the CRDs, the chart's roles for a ServiceAccount, and a real MariaDB. Operators are
 * processes that log in as that ServiceAccount. There are no nodes, so no pod runs.
 */
import { ApiServer } from "../../support/kubernetes/api-server.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { ApiClient, collection } from "./api-client.ts";
import { eventually } from "./eventually.ts";
import { operatorManifests } from "./operator-manifests.ts";
import { OperatorPod } from "./operator-pod.ts";

interface EnvironmentOptions {
  /** The chart's values. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Returns the kubeconfig for operators, made from that of their ServiceAccount; for example one with a proxy's address. */
  via?(kubeconfig: string, server: URL): Promise<string>;
  /** Namespaces that are created before the chart's roles, with the Secrets of `mysql()`. */
  readonly namespaces?: readonly string[];
  /** Databases in addition to `strowger`. */
  readonly databases?: readonly string[];
  /** Additional arguments of kube-apiserver. */
  readonly arguments?: readonly string[];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

interface Found {
  readonly kind: string;
  readonly metadata: {
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  readonly status?: Readonly<Record<string, unknown>> & { readonly conditions?: readonly Condition[] };
}

export const operatorNamespace = "strowger";
const api = "sip.strowger.dev/v1alpha1";

export class OperatorEnvironment implements AsyncDisposable {
  readonly server: ApiServer;
  readonly client: ApiClient;
  readonly database: TestMariadb;
  readonly #operatorEnv: Readonly<Record<string, string>>;
  readonly #pods: OperatorPod[] = [];
  #started = 0;

  private constructor(
    server: ApiServer,
    database: TestMariadb,
    operatorEnv: Readonly<Record<string, string>>,
  ) {
    this.server = server;
    this.database = database;
    this.client = new ApiClient(server.kubeconfig);
    this.#operatorEnv = operatorEnv;
  }

  static async start(plan: EnvironmentOptions = {}): Promise<OperatorEnvironment> {
    await using parts = new AsyncDisposableStack();
    const server = parts.use(await ApiServer.start({ arguments: plan.arguments ?? [] }));
    const database = parts.use(await startMariadb());
    for (const name of plan.databases ?? [])
      await database.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
    await database.query("CREATE USER operator IDENTIFIED BY 'operator-secret'");
    await database.query("GRANT ALL ON *.* TO operator");
    await server.installCrds();
    for (const name of plan.namespaces ?? [])
      await server.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
    const environment = new OperatorEnvironment(server, database, await createServiceAccount(server, plan));
    for (const name of ["default", ...(plan.namespaces ?? [])]) await environment.namespace(name);
    parts.move();
    return environment;
  }

  /** Creates a namespace with the Secret of `mysql()`. */
  async namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    await this.apply({
      ...{ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/basic-auth" },
      metadata: { name: "mysql", namespace: name },
      stringData: { username: "operator", password: "operator-secret" },
    });
  }

  /** `spec.mysql` of a SipCluster. */
  mysql(database = "strowger"): object {
    const { port } = this.database;
    return { hosts: ["127.0.0.1"], port, database, credentialsSecretRef: { name: "mysql" } };
  }

  /** Starts another operator process, with additional environment variables; resolves when it listens. */
  async operator(
    name = `operator-${(this.#started += 1)}`,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<OperatorPod> {
    const pod = await OperatorPod.start(name, { ...this.#operatorEnv, ...variables });
    this.#pods.push(pod);
    return pod;
  }

  /** Starts an operator; resolves when it is the leader. */
  async leader(variables: Readonly<Record<string, string>> = {}): Promise<OperatorPod> {
    const pod = await this.operator(undefined, variables);
    await pod.until("it is the leader", () => pod.leads());
    return pod;
  }

  /** All operators end and release the lease, so that the next one leads at once. */
  async endOperators(): Promise<void> {
    for (const pod of this.#pods.splice(0)) await pod.end();
  }

  /** Applies objects of any kind by server-side apply; the default namespace is `default`. */
  async apply(...objects: readonly object[]): Promise<void> {
    await this.server.apply(objects.map((object) => JSON.stringify(object)).join("\n---\n"));
  }

  async find(kind: string, name: string, namespace = "default"): Promise<Found | undefined> {
    const { status, body } = await this.client.send<Found>("GET", `${collection(kind, namespace)}/${name}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${kind} ${namespace}/${name}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  async condition(
    kind: string,
    name: string,
    namespace = "default",
    type = "Ready",
  ): Promise<Condition | undefined> {
    const { status } = (await this.find(kind, name, namespace)) ?? {};
    return status?.conditions?.find((condition) => condition.type === type);
  }

  /** Waits until the condition Ready has this reason for the current generation. Returns its message. */
  async becomes(kind: string, name: string, reason: string, namespace = "default"): Promise<string> {
    let last: Condition | undefined;
    await eventually(
      `${kind} ${namespace}/${name} is ${reason}`,
      async () => {
        const found = await this.find(kind, name, namespace);
        last = found?.status?.conditions?.find(({ type }) => type === "Ready");
        return last?.reason === reason && last.observedGeneration === found?.metadata.generation;
      },
      { more: () => `${JSON.stringify(last)}\n${this.#log()}` },
    );
    return last?.message ?? "";
  }

  async vanishes(kind: string, name: string, namespace = "default"): Promise<void> {
    const isGone = async (): Promise<boolean> => (await this.find(kind, name, namespace)) === undefined;
    await eventually(`${kind} ${namespace}/${name} is gone`, isGone, { more: () => this.#log() });
  }

  async remove(kind: string, name: string, namespace = "default"): Promise<void> {
    await this.client.send("DELETE", `${collection(kind, namespace)}/${name}`);
  }

  async patch(kind: string, name: string, patch: object, namespace = "default"): Promise<void> {
    const path = `${collection(kind, namespace)}/${name}`;
    const { status, body } = await this.client.send("PATCH", path, patch, "application/merge-patch+json");
    if (status !== 200) throw new Error(`${kind} ${namespace}/${name}: ${status} ${body.message}`);
  }

  /** Waits until a query returns these rows. */
  async rowsBecome(sql: string, rows: readonly object[]): Promise<void> {
    let found: readonly object[] = [];
    const rowsAreEqual = async (): Promise<boolean> => {
      found = await this.database.query(sql);
      return JSON.stringify(found) === JSON.stringify(rows);
    };
    await eventually(`${sql} gives ${JSON.stringify(rows)}`, rowsAreEqual, {
      more: () => `${JSON.stringify(found)}\n${this.#log()}`,
    });
  }

  /** Reasons and notes of the Events about an object. */
  async events(kind: string, name: string, namespace = "default"): Promise<readonly string[]> {
    interface EventList {
      readonly items: readonly {
        readonly reason: string;
        readonly note?: string;
        readonly regarding?: { readonly kind: string; readonly name: string };
      }[];
    }
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const { body } = await this.client.send<EventList>("GET", path);
    return body.items
      .filter(({ regarding }) => regarding?.kind === kind && regarding.name === name)
      .map(({ reason, note }) => `${reason}: ${note ?? ""}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pod of this.#pods) await pod[Symbol.asyncDispose]();
    this.client[Symbol.dispose]();
    await this.database[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }

  #log(): string {
    return this.#pods.map(({ name, log }) => `--- ${name}\n${log.slice(-3_000)}`).join("\n");
  }
}

/** A SipCluster, a SipDomain of it and a SipUser of that domain, each with the additional fields of `spec`. */
export const sipCluster = (
  name: string,
  mysql: object,
  spec: object = {},
  namespace = "default",
): object => ({
  ...{ apiVersion: api, kind: "SipCluster", metadata: { name, namespace } },
  spec: { mysql, advertise: { udp: { host: "192.0.2.1", port: 5060 } }, ...spec },
});

export const sipDomain = (
  name: string,
  domain: string,
  spec: object = {},
  namespace = "default",
): object => ({
  ...{ apiVersion: api, kind: "SipDomain", metadata: { name, namespace } },
  spec: { clusterRef: { name: "exchange" }, domain, ...spec },
});

export const sipUser = (name: string, spec: object = {}, namespace = "default"): object => ({
  ...{ apiVersion: api, kind: "SipUser", metadata: { name, namespace } },
  spec: { domainRef: { name: "example" }, username: name, ...credential(name, spec), ...spec },
});

/** The Secret `<name>-secret`, if the spec has no credential. */
const credential = (name: string, spec: object): object =>
  ["passwordSecretRef", "ha1SecretRef", "generatePassword"].some((field) => field in spec)
    ? {}
    : { passwordSecretRef: { name: `${name}-secret` } };

export const secret = (
  name: string,
  stringData: object,
  { namespace = "default", isWatched = true } = {},
): object => ({
  ...{ apiVersion: "v1", kind: "Secret", stringData },
  metadata: { name, namespace, labels: isWatched ? { "sip.strowger.dev/watch": "true" } : {} },
});

/** Creates the ServiceAccount with the chart's roles; returns the environment variables of an operator. */
async function createServiceAccount(
  server: ApiServer,
  plan: EnvironmentOptions,
): Promise<Readonly<Record<string, string>>> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: operatorNamespace } };
  await server.apply(JSON.stringify(namespace));
  const { account, roles, bindings, environment } = await operatorManifests(operatorNamespace, plan.values);
  await server.apply([...roles, ...bindings].map((manifest) => JSON.stringify(manifest)).join("\n---\n"));
  const own = await server.serviceAccount(operatorNamespace, account);
  return {
    ...environment,
    KUBECONFIG: (await plan.via?.(own, new URL(server.url))) ?? own,
    STROWGER_POD_NAMESPACE: operatorNamespace,
  };
}
