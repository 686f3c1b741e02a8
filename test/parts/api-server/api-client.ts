/** A client of the API server by HTTPS, with the token of a kubeconfig that the tests wrote. It needs no kubectl process for each request. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** The body of a refused request. */
export interface StatusError {
  readonly kind: "Status";
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field: string; readonly message: string }[] };
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority": string };
  }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

export class ApiClient implements Disposable {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(kubeconfig: string) {
    const { clusters, users } = JSON.parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
    const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
    if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} names no server or user`);
    this.#server = cluster.server;
    this.#token = user.token;
    const ca = readFileSync(cluster["certificate-authority"]);
    this.#agent = new Agent({ ca, keepAlive: true, maxSockets: 40 });
  }

  /** Resolves with any answer; rejects if there is none. A JSON body is parsed; another body is a string. */
  send<Body = StatusError>(
    method: string,
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<Answer<Body>> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": type ?? "application/json" }),
      };
      const options = { method, headers, agent: this.#agent, timeout: 60_000 };
      const sent = request(`${this.#server}${path}`, options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = answer.headers["content-type"]?.startsWith("application/json") === true;
          resolve({ status: answer.statusCode ?? 0, body: (isJson ? JSON.parse(text) : text) as Body });
        });
      });
      sent.on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer`)));
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** The path of all objects of one of Strowger's kinds in a namespace. */
export const collection = (kind: string, namespace = "default"): string =>
  `/apis/sip.strowger.dev/v1alpha1/namespaces/${namespace}/${kind.toLowerCase()}s`;
