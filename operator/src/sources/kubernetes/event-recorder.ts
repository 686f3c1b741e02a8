/** Writes Events (core/v1, which `kubectl describe` shows) in the background. A failed write has no other effect than `onFailure`. */
import { isAbsence } from "../../adapters/kube/api-error.ts";
import type { KubeClient } from "../../adapters/kube/kube-client.ts";
import { resourceTypes } from "../../adapters/kube/resource-type.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { KubernetesObject } from "../../runtime/object.ts";
import { rfc3339 } from "../../runtime/rfc3339.ts";
import type { Event } from "../../runtime/source.ts";
import { EventCorrelator } from "./event-correlator.ts";

/** The maximum number of Events that wait for the API server; further ones are dropped. */
const maxWaiting = 500;
/** The API server refuses longer messages. */
const maxMessageBytes = 1_024;
const component = "strowger-operator";
const manager = { fieldManager: component };

export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #onFailure: (cause: unknown) => void;
  readonly #correlator = new EventCorrelator();
  #waiting = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  /** `clock` shows the time of day. */
  constructor(client: KubeClient, clock: Clock, onFailure: (cause: unknown) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Events are written one after the other, so that a count is never written before the Event itself. */
  record(object: KubernetesObject, event: Event): void {
    if (this.#waiting >= maxWaiting) return;
    this.#waiting += 1;
    this.#lastWrite = this.#lastWrite
      .then(() => this.#write(object, event))
      .catch(this.#onFailure)
      .finally(() => (this.#waiting -= 1));
  }

  /** Resolves when all Events that were recorded so far are written, or failed. */
  flush(): Promise<void> {
    return this.#lastWrite;
  }

  async #write(object: KubernetesObject, event: Event): Promise<void> {
    const { uid, name: objectName, namespace } = object.metadata;
    const content = `${event.type} ${event.reason} ${event.message}`;
    const plan = this.#correlator.plan(uid, objectName, content, this.#clock.now());
    if (plan.do === "drop") return;
    const { name } = plan;
    if (plan.do === "create") return this.#create(name, object, event);
    const patch = { count: plan.count, lastTimestamp: this.#time() };
    const objectKey = { namespace, name };
    await this.#client
      .mergePatch(resourceTypes.Event, objectKey, patch, manager)
      .catch(async (error: unknown) => {
        this.#correlator.forget(uid, content);
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
        message: shorten(event.message),
        ...{ count: 1, firstTimestamp: time, lastTimestamp: time },
        ...{ source: { component }, reportingComponent: component, reportingInstance: component },
      } as { metadata: { namespace: string; name: string } },
      manager,
    );
  }

  #time(): string {
    return rfc3339(this.#clock.now());
  }
}

/** At most `maxMessageBytes` bytes, without a partial character at the end. */
function shorten(message: string): string {
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= maxMessageBytes) return message;
  return `${new TextDecoder().decode(bytes.subarray(0, maxMessageBytes - 6)).replace(/�+$/, "")}...`;
}
