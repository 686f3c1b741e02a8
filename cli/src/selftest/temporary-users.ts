/** A SipDomain and two SipUsers that exist for one test. Their names are fixed, so that a role can be limited to them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiObject, ApiServer } from "../api-server/api-server.ts";
import { collectionPath, objectPath, type SipPlural } from "../api-server/sip-paths.ts";
import type { PhoneLogin } from "../up/scripted-phone.ts";
import { Failure } from "./failure.ts";

const domainName = "strowger-selftest";
const userNames = ["strowger-selftest-caller", "strowger-selftest-callee"] as const;
/** RFC 2606: nobody else has such a domain. */
const domain = "strowger-selftest.test";
const removalMs = 60_000;

interface Conditioned extends ApiObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

export class TemporaryUsers {
  readonly #api: ApiServer;
  readonly #namespace: string;

  constructor(api: ApiServer, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /** Makes them for a SipCluster of the same namespace and waits until the operator says Ready. Returns caller and callee. */
  async make(cluster: string, stop: AbortSignal): Promise<readonly [PhoneLogin, PhoneLogin]> {
    await this.remove(); // what a test that was killed left behind
    await this.#create("sipdomains", "SipDomain", domainName, { clusterRef: { name: cluster }, domain });
    for (const name of userNames) {
      const username = name.slice("strowger-selftest-".length);
      await this.#create("sipusers", "SipUser", name, {
        domainRef: { name: domainName },
        username,
        generatePassword: true,
      });
    }
    await this.#ready("sipdomains", domainName, stop);
    for (const name of userNames) await this.#ready("sipusers", name, stop);
    return [await this.#login(userNames[0], stop), await this.#login(userNames[1], stop)];
  }

  /** Removes what is there and waits until it is gone. Throws `Failure` where somebody holds it back. */
  async remove(): Promise<void> {
    for (const name of userNames) await this.#api.remove(objectPath("sipusers", this.#namespace, name));
    for (const name of userNames) await this.#gone("sipusers", name);
    await this.#api.remove(objectPath("sipdomains", this.#namespace, domainName));
    await this.#gone("sipdomains", domainName);
  }

  async #create(plural: SipPlural, kind: string, name: string, spec: unknown): Promise<void> {
    const metadata = { name, labels: { "app.kubernetes.io/part-of": "strowger-selftest" } };
    const object = { apiVersion: "sip.strowger.dev/v1alpha1", kind, metadata, spec };
    await this.#api.create(collectionPath(plural, this.#namespace), object);
  }

  async #ready(plural: SipPlural, name: string, stop: AbortSignal): Promise<void> {
    let last = "the operator has not looked at it";
    for (;;) {
      const object = await this.#api.get<Conditioned>(objectPath(plural, this.#namespace, name));
      if (object === undefined)
        throw new Failure(`${plural} ${this.#namespace}/${name} was deleted meanwhile`);
      const ready = object.status?.conditions?.find(({ type }) => type === "Ready");
      const isSeen = object.status?.observedGeneration === object.metadata.generation;
      if (isSeen && ready?.status === "True") return;
      if (ready !== undefined) last = `${ready.reason}: ${ready.message}`;
      await pause(stop, () => `${plural} ${this.#namespace}/${name} is not Ready: ${last}`);
    }
  }

  /** The generated password; it may come a moment later than Ready. */
  async #login(name: string, stop: AbortSignal): Promise<PhoneLogin> {
    const username = name.slice("strowger-selftest-".length);
    const secret = `${name}-sip-password`;
    for (;;) {
      const path = `/api/v1/namespaces/${this.#namespace}/secrets/${secret}`;
      const found = await this.#api.get<ApiObject & { readonly data?: Record<string, string> }>(path);
      const data = found?.data?.["password"];
      if (data !== undefined) return { username, domain, password: Buffer.from(data, "base64").toString() };
      await pause(stop, () => `the Secret ${this.#namespace}/${secret} has no password`);
    }
  }

  async #gone(plural: SipPlural, name: string): Promise<void> {
    const path = objectPath(plural, this.#namespace, name);
    const patience = AbortSignal.timeout(removalMs);
    for (;;) {
      const object = await this.#api.get(path);
      if (object === undefined) return;
      const holders = object.metadata.finalizers?.join(", ") ?? "nobody";
      await pause(
        patience,
        () => `${plural} ${this.#namespace}/${name} is not gone; held back by ${holders}`,
      );
    }
  }
}

/** Half a second. When the signal is raised, what was waited for is the failure. */
async function pause(stop: AbortSignal, what: () => string): Promise<void> {
  await sleep(500, undefined, { signal: stop }).catch(() => {
    throw new Failure(what());
  });
}
