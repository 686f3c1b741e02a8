/**
 * A whole exchange for a test: a MariaDB with Strowger's tables, the operator on YAML, and SIP nodes as real processes. The nodes share one
 * UDP port (the kernel balances by SO_REUSEPORT), or each has its own loopback address behind `Balancer`.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freeSipPort, freeTcpPort, freeUdpPort } from "../../cli/src/up/free-port.ts";
import { scrape, total, type Samples } from "../../cli/src/up/metrics.ts";
import { Balancer } from "./balancer.ts";
import { startChild, type TestChild } from "./child.ts";
import { type MariadbOptions, startMariadb, type TestMariadb } from "./mariadb.ts";
import { Phone, type Endpoint, type PhoneOptions } from "./phone.ts";

export interface TestClusterPlan {
  /** `shared port`: SO_REUSEPORT. `balancer`: nodes on 127.0.0.101, .102 ... behind 127.0.0.100. */
  readonly front: "shared port" | "balancer";
  readonly nodes: number;
  /** YAML files for the operator, by name. Without it, the test writes the rows. */
  readonly yaml?: Readonly<Record<string, string>>;
  /** Addresses whose calls the nodes trust without a challenge. */
  readonly peers?: readonly string[];
  /** Seconds that a drain may take. Default 240. */
  readonly drainTimeout?: number;
  readonly mariadb?: MariadbOptions;
  /** Default `auto`. */
  readonly udpEngine?: "auto" | "dgram" | "batched";
  /** Whether the nodes serve TCP. Default: no. */
  readonly tcp?: boolean;
  /** Arguments of the nodes' Node.js, for a profile. */
  readonly nodeArguments?: readonly string[];
}

export interface TestClusterNode {
  readonly name: string;
  readonly sip: Endpoint;
  readonly httpUrl: string;
  readonly controlUrl: string;
  /** Its mounted configuration, as JSON. */
  readonly configFile: string;
  child: TestChild;
}

const root = resolve(import.meta.dirname, "../..");
const balancerAddress = "127.0.0.100";

export class TestCluster implements AsyncDisposable {
  readonly database: TestMariadb;
  readonly folder: string;
  readonly nodes: TestClusterNode[] = [];
  balancer: Balancer | undefined;
  operator: (TestChild & { readonly httpUrl: string; readonly yaml: string }) | undefined;
  #front: Endpoint = { address: "127.0.0.1", port: 0 };

  private constructor(database: TestMariadb, folder: string) {
    this.database = database;
    this.folder = folder;
  }

  static async start(plan: TestClusterPlan): Promise<TestCluster> {
    const cluster = new TestCluster(
      await startMariadb(plan.mariadb),
      await mkdtemp(join(tmpdir(), "strowger-cluster-")),
    );
    try {
      await cluster.#startOperator(plan.yaml ?? {});
      await cluster.#startNodes(plan);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The address that phones send to. */
  get front(): Endpoint {
    return this.#front;
  }

  /** A phone of this exchange, behind NAT if there is a balancer. */
  async phone(username: string, domain: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
    const login = { username, domain, password: passwordOf(username) };
    return await Phone.open({
      login,
      exchange: this.#front,
      behindNat: this.balancer !== undefined,
      ...options,
    });
  }

  /** Inserts rows as an administrator does: a plain password, no HA1. */
  async insertUsers(domain: string, usernames: readonly string[]): Promise<void> {
    await this.database.query("INSERT IGNORE INTO domain (domain) VALUES (?)", [domain]);
    const rows = usernames.map((username) => [username, domain, passwordOf(username)]);
    await this.database.query("INSERT INTO subscriber (username, domain, password) VALUES ?", [rows]);
  }

  async metrics(node: TestClusterNode): Promise<Samples> {
    return (await scrape(`${node.httpUrl}/metrics`)) ?? [];
  }

  /** Each node's count of requests with this method, by the node's name. */
  async requests(method: string): Promise<Record<string, number>> {
    const counts = this.nodes.map(async (node) => {
      return [node.name, total(await this.metrics(node), "strowger_sip_requests_total", { method })] as const;
    });
    return Object.fromEntries(await Promise.all(counts));
  }

  node(name: string): TestClusterNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /**
   * Sends SIGTERM. `stay`: the balancer leaves the node's flows with it until it has ended; `move`: it moves them at once. Resolves with the
   * exit status.
   */
  async drain(name: string, flows: "stay" | "move"): Promise<number | null> {
    const { child } = this.node(name);
    child.process.kill("SIGTERM");
    if (flows === "stay") this.balancer?.close(name);
    else this.balancer?.remove(name);
    const status = await child.exited;
    this.balancer?.remove(name);
    return status;
  }

  /** `kill -9`. The balancer then moves its flows, as kube-proxy does. */
  async kill(name: string): Promise<void> {
    await this.node(name).child.end("SIGKILL");
    this.balancer?.remove(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.balancer?.[Symbol.dispose]();
    await Promise.all([...this.nodes.map((node) => node.child.end("SIGINT")), this.operator?.end()]);
    await this.database[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The operator creates the tables. Without YAML files of the test, it does nothing else. */
  async #startOperator(yaml: Readonly<Record<string, string>>): Promise<void> {
    const [files, data] = [join(this.folder, "yaml"), join(this.folder, "operator")];
    await mkdir(files);
    await mkdir(data);
    const content = Object.keys(yaml).length > 0 ? yaml : { "cluster.yaml": clusterYaml };
    for (const [name, text] of Object.entries(content)) await writeFile(join(files, name), text);
    const port = await freeTcpPort("127.0.0.1", 0);
    const env = {
      STROWGER_FILES: files,
      STROWGER_MYSQL_URL: this.database.url,
      STROWGER_DATA: data,
      STROWGER_HTTP: `127.0.0.1:${port}`,
      STROWGER_LOG_LEVEL: "info",
    };
    const child = startChild(process.execPath, [join(root, "operator/src/main.ts")], { env });
    this.operator = { ...child, httpUrl: `http://127.0.0.1:${port}`, yaml: files };
    await untilReady("operator", this.operator.httpUrl, child);
  }

  async #startNodes(plan: TestClusterPlan): Promise<void> {
    const shared = plan.front === "shared port";
    this.#front = shared
      ? { address: "127.0.0.1", port: await freeSipPort("127.0.0.1") }
      : { address: balancerAddress, port: await freeUdpPort(balancerAddress) };
    const keysFile = join(this.folder, "keys.json");
    await writeFile(keysFile, keys(), { mode: 0o600 });
    for (let number = 0; number < plan.nodes; number++) {
      const address = shared ? this.#front.address : `127.0.0.${101 + number}`;
      const sip = shared ? this.#front : { address, port: await freeUdpPort(address) };
      await this.#startNode(plan, `node-${"abcdefgh"[number]}`, sip, keysFile);
    }
    await Promise.all(this.nodes.map((node) => untilReady(node.name, node.httpUrl, node.child)));
    if (!shared)
      this.balancer = await Balancer.open(
        new Map(this.nodes.map((node) => [node.name, node.sip])),
        this.#front,
      );
  }

  async #startNode(plan: TestClusterPlan, name: string, sip: Endpoint, keysFile: string): Promise<void> {
    const httpPort = await freeTcpPort("127.0.0.1", 0);
    const controlPort = await freeTcpPort("127.0.0.1", 0);
    const { port, address } = this.#front;
    const configuration = {
      name,
      sip: {
        listen: text(sip),
        reusePort: sip === this.#front, // a shared port: every node may send to every phone
        udpEngine: plan.udpEngine ?? "auto",
        tcp: plan.tcp ?? false,
        advertise: `${address}:${port}`,
        direct: `${sip.address}:0`,
      },
      cluster: { listen: "127.0.0.1:0", advertise: "127.0.0.1:0" },
      http: { listen: `127.0.0.1:${httpPort}` },
      control: { listen: `127.0.0.1:${controlPort}` },
      mysql: {
        hosts: [`127.0.0.1:${this.database.port}`],
        user: "root",
        password: "",
        database: "strowger",
        connections: 8,
      },
      peers: plan.peers ?? [],
      drain: { timeoutSeconds: plan.drainTimeout ?? 240 },
      log: { level: "info" },
    };
    const file = join(this.folder, `${name}.json`);
    await writeFile(file, JSON.stringify(configuration), { mode: 0o600 });
    const env = { STROWGER_CONFIG: file, STROWGER_KEYS: keysFile };
    const child = startChild(
      process.execPath,
      [...(plan.nodeArguments ?? []), join(root, "sip-node/src/main.ts")],
      { env },
    );
    this.nodes.push({
      name,
      sip,
      httpUrl: `http://127.0.0.1:${httpPort}`,
      controlUrl: `http://127.0.0.1:${controlPort}`,
      configFile: file,
      child,
    });
  }
}

/** The password of a test user. */
export function passwordOf(username: string): string {
  return `${username}-secret`;
}

const clusterYaml =
  "apiVersion: sip.strowger.dev/v1alpha1\nkind: SipCluster\nmetadata: { name: exchange }\nspec: { replicas: 2 }\n";

function keys(): string {
  const key = { id: 1, key: randomBytes(32).toString("base64"), verifyFrom: 0, signFrom: 0, dropAfter: null };
  return JSON.stringify({ keys: [key] });
}

function text({ address, port }: Endpoint): string {
  return `${address}:${port}`;
}

async function untilReady(name: string, httpUrl: string, child: TestChild): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const hasEnded = child.process.exitCode !== null || child.process.signalCode !== null;
    if (hasEnded)
      throw new Error(`${name} ended with status ${child.process.exitCode}:\n${child.output().slice(-3000)}`);
    const ok = await fetch(`${httpUrl}/readyz`, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} is not ready after 30 s:\n${child.output().slice(-3000)}`);
}
