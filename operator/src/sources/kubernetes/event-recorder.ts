/** Writes Events (core/v1: what `kubectl describe` shows). Nobody waits for them, and nothing fails because of them. */
import { isAbsence } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { KubernetesObject } from "../../runtime/object.ts";
import type { Event } from "../../runtime/source.ts";
import { EventLedger } from "./event-ledger.ts";

/** Events that wait for the API server; further ones are lost. */
const mostWaiting = 500;
/** The API server refuses longer ones. */
const longestMessage = 1_024;
const component = "strowger-operator";
const manager = { fieldManager: component };

export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #failed: (cause: unknown) => void;
  readonly #ledger = new EventLedger();
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

  /** `clock` is the time of day. */
  constructor(client: KubeClient, clock: Clock, failed: (cause: unknown) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** One after the other, so that a count never overtakes what it counts. */
  record(object: KubernetesObject, event: Event): void {
    if (this.#waiting >= mostWaiting) return;
    this.#waiting += 1;
    this.#turn = this.#turn
      .then(() => this.#write(object, event))
      .catch(this.#failed)
      .finally(() => (this.#waiting -= 1));
  }

  /** Resolves when everything that was recorded so far is written, or could not be. */
  flush(): Promise<void> {
    return this.#turn;
  }

  async #write(object: KubernetesObject, event: Event): Promise<void> {
    const { uid, name: objectName, namespace } = object.metadata;
    const what = `${event.type} ${event.reason} ${event.message}`;
    const plan = this.#ledger.plan(uid, objectName, what, this.#clock.now());
    if (plan.do === "drop") return;
    const { name } = plan;
    if (plan.do === "create") return this.#create(name, object, event);
    const patch = { count: plan.count, lastTimestamp: this.#time() };
    const place = { namespace, name };
    await this.#client
      .mergePatch(resourceTypes.Event, place, patch, manager)
      .catch(async (error: unknown) => {
        this.#ledger.forget(uid, what);
        if (!isAbsence(error, resourceTypes.Event, name)) throw error;
        await this.#write(object, event);
      });
  }

  async #create(name: string, { kind, metadata }: KubernetesObject, event: Event): Promise<void> {
    const { namespace, name: objectName, uid, resourceVersion } = metadata;
    const { apiVersion } = resourceTypes[kind as "SipUser"] ?? resourceTypes.SipUser;
    const time = this.#time();
    await this.#client.create(
      resourceTypes.Event,
      {
        metadata: { namespace, name },
        involvedObject: { apiVersion, kind, namespace, name: objectName, uid, resourceVersion },
        ...event,
        message: shortened(event.message),
        ...{ count: 1, firstTimestamp: time, lastTimestamp: time },
        ...{ source: { component }, reportingComponent: component, reportingInstance: component },
      } as { metadata: { namespace: string; name: string } },
      manager,
    );
  }

  #time(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  }
}

/** At most `longestMessage` bytes; a character is not cut in two. */
function shortened(message: string): string {
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= longestMessage) return message;
  return `${new TextDecoder().decode(bytes.subarray(0, longestMessage - 6)).replace(/�+$/, "")}...`;
}
