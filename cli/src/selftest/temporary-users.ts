/** A SipDomain and two SipUsers for one test. Their names are fixed, so that an RBAC role can be limited to them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiObject, ApiServer } from "../api-server/api-server.ts";
import { collectionPath, objectPath, type SipPlural } from "../api-server/sip-paths.ts";
import type { PhoneLogin } from "../up/scripted-phone.ts";
import { CheckFailure } from "../up/check-failure.ts";

const domainName = "strowger-selftest";
const userNames = ["strowger-selftest-caller", "strowger-selftest-callee"] as const;
/** RFC 2606: no real domain ends in `.test`. */
const domain = "strowger-selftest.test";
const removalTimeoutMs = 60_000;

interface ObjectWithConditions extends ApiObject {
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

  /** Creates them for a SipCluster of the same namespace and waits until they are Ready. Returns caller and callee. */
  async create(cluster: string, stop: AbortSignal): Promise<readonly [PhoneLogin, PhoneLogin]> {
    await this.remove(); // objects of an earlier test that was killed
    await this.#create("sipdomains", "SipDomain", domainName, { clusterRef: { name: cluster }, domain });
    for (const name of userNames) {
      const username = name.slice("strowger-selftest-".length);
      await this.#create("sipusers", "SipUser", name, {
        domainRef: { name: domainName },
        username,
        generatePassword: true,
      });
    }
    await this.#waitUntilReady("sipdomains", domainName, stop);
    for (const name of userNames) await this.#waitUntilReady("sipusers", name, stop);
    return [await this.#readLogin(userNames[0], stop), await this.#readLogin(userNames[1], stop)];
  }

  /** Deletes them and waits until they are gone. Throws `CheckFailure` if a finalizer prevents that. */
  async remove(): Promise<void> {
    for (const name of userNames) await this.#api.delete(objectPath("sipusers", this.#namespace, name));
    for (const name of userNames) await this.#waitUntilGone("sipusers", name);
    await this.#api.delete(objectPath("sipdomains", this.#namespace, domainName));
    await this.#waitUntilGone("sipdomains", domainName);
  }

  async #create(plural: SipPlural, kind: string, name: string, spec: unknown): Promise<void> {
    const metadata = { name, labels: { "app.kubernetes.io/part-of": "strowger-selftest" } };
    const object = { apiVersion: "sip.strowger.dev/v1alpha1", kind, metadata, spec };
    await this.#api.create(collectionPath(plural, this.#namespace), object);
  }

  async #waitUntilReady(plural: SipPlural, name: string, stop: AbortSignal): Promise<void> {
    let last = "the operator has not reconciled it";
    for (;;) {
      const object = await this.#api.get<ObjectWithConditions>(objectPath(plural, this.#namespace, name));
      if (object === undefined)
        throw new CheckFailure(`${plural} ${this.#namespace}/${name} was deleted during the test`);
      const ready = object.status?.conditions?.find(({ type }) => type === "Ready");
      const isCurrent = object.status?.observedGeneration === object.metadata.generation;
      if (isCurrent && ready?.status === "True") return;
      if (ready !== undefined) last = `${ready.reason}: ${ready.message}`;
      await pause(stop, () => `${plural} ${this.#namespace}/${name} is not Ready: ${last}`);
    }
  }

  /** Reads the generated password. It may be written shortly after the user is Ready. */
  async #readLogin(name: string, stop: AbortSignal): Promise<PhoneLogin> {
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

  async #waitUntilGone(plural: SipPlural, name: string): Promise<void> {
    const path = objectPath(plural, this.#namespace, name);
    const timeout = AbortSignal.timeout(removalTimeoutMs);
    for (;;) {
      const object = await this.#api.get(path);
      if (object === undefined) return;
      const finalizers = object.metadata.finalizers?.join(", ") ?? "none";
      await pause(
        timeout,
        () => `${plural} ${this.#namespace}/${name} is not deleted yet; finalizers: ${finalizers}`,
      );
    }
  }
}

/** Waits half a second. Throws `CheckFailure` with `describe()` when the signal is raised. */
async function pause(stop: AbortSignal, describe: () => string): Promise<void> {
  await sleep(500, undefined, { signal: stop }).catch(() => {
    throw new CheckFailure(describe());
  });
}
