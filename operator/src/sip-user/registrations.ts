/**
 * Tells in the status of SipUsers and SipDomains who is registered (design: rule 8): reads all bindings every ten seconds and writes at most
 * ten statuses a second, each object's once in five minutes.
 */
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { readRegistrations, type Registration } from "../adapters/mysql/registrations.ts";
import type { Installations } from "../installations.ts";
import type { Clock } from "../runtime/clock.ts";
import { isReadyObject } from "../runtime/is-ready-object.ts";
import { keyOf, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import type { SipDomainSpec, SipUserStatus } from "../sources/types.ts";
import {
  figureFields,
  isFlip,
  perObject,
  planFigures,
  type Figured,
  type Figures,
  type LastWrite,
} from "./plan-figures.ts";
import { parseSipUser } from "./resource.ts";
import { clusterOf } from "./world.ts";

const everyMs = 10_000;
const betweenWritesMs = 100;
const writesInARound = everyMs / betweenWritesMs;

export interface RegistrationFiguresOptions {
  readonly installations: Installations;
  readonly source: Source;
  readonly clock: Clock;
  /** A read or a write that failed; the next round tries again. */
  onFailure(cause: unknown): void;
}

export class RegistrationFigures {
  readonly #options: RegistrationFiguresOptions;
  readonly #last = new Map<string, LastWrite>();
  #callOff: () => void = () => undefined;
  #isStopped = false;

  constructor(options: RegistrationFiguresOptions) {
    this.#options = options;
  }

  start(): void {
    this.#callOff = this.#options.clock.after(everyMs, () => {
      void this.round().finally(() => {
        if (!this.#isStopped) this.start();
      });
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#callOff();
  }

  /** One read and its writes. Never throws. */
  async round(): Promise<void> {
    const { installations, clock } = this.#options;
    const failed = (cause: unknown): void => this.#options.onFailure(cause);
    this.#forget();
    const figured: Figured[] = [];
    for (const installation of installations.open())
      await this.#read(installation).then((found) => void figured.push(...found), failed);
    for (const one of planFigures(figured, this.#last, clock.now()).slice(0, writesInARound)) {
      if (this.#isStopped) return;
      await this.#write(one).catch(failed);
      await new Promise<void>((resolve) => clock.after(betweenWritesMs, resolve));
    }
  }

  async #read({ database }: Installation): Promise<readonly Figured[]> {
    const { source } = this.#options;
    const holder = await clusterOfDatabase(database);
    if (holder === undefined) return [];
    const cluster = keyOf(holder.namespace, holder.name);
    const registrations = await readRegistrations(database);
    const domains = source.list("SipDomain").filter((domain) => clusterOf(domain) === cluster);
    return figuresOf(domains, source.list("SipUser"), registrations);
  }

  async #write(one: Figured): Promise<void> {
    const { source, clock } = this.#options;
    await source.writeStatus(one.kind, one.key, one.after, "registrations");
    const now = clock.now();
    const before = this.#last.get(one.uid)?.flip ?? Number.NEGATIVE_INFINITY;
    // The first figures of all are no change of who is there.
    this.#last.set(one.uid, { any: now, flip: one.before !== undefined && isFlip(one) ? now : before });
  }

  #forget(): void {
    const now = this.#options.clock.now();
    for (const [uid, { any }] of this.#last) if (now - any >= perObject) this.#last.delete(uid);
  }
}

/** Of the users of these domains that have an address, and of the domains themselves. */
export function figuresOf(
  domains: readonly KubernetesObject[],
  users: readonly KubernetesObject[],
  registrations: readonly Registration[],
): readonly Figured[] {
  const names = new Map(domains.map((domain) => [keyOfObject(domain), nameOf(domain)]));
  const byAddress = new Map(registrations.map((one) => [`${one.username}@${one.domain}`, one]));
  const counts = new Map<ObjectKey, number>();
  const figured = users.flatMap((user): Figured[] => {
    const { domain, username } = parseSipUser(user);
    const name = names.get(domain);
    if (name === undefined || (user.status as SipUserStatus | undefined)?.address === undefined) return [];
    if (isReadyObject(user)) counts.set(domain, (counts.get(domain) ?? 0) + 1);
    return [figuredOf("SipUser", user, figuresOfUser(byAddress.get(`${username}@${name}`)))];
  });
  const contacts = new Map<string, number>();
  for (const one of registrations) contacts.set(one.domain, (contacts.get(one.domain) ?? 0) + one.contacts);
  const ofDomains = domains.map((domain) => {
    const users = counts.get(keyOfObject(domain)) ?? 0;
    return figuredOf("SipDomain", domain, { users, registrations: contacts.get(nameOf(domain)) ?? 0 });
  });
  return [...figured, ...ofDomains];
}

const figuresOfUser = (found: Registration | undefined): Figures =>
  found === undefined
    ? { registered: false, contacts: 0 }
    : {
        registered: true,
        contacts: found.contacts,
        ...(found.since === undefined ? {} : { registeredSince: rfc3339(found.since) }),
      };

function figuredOf(kind: Figured["kind"], object: KubernetesObject, after: Figures): Figured {
  const status = (object.status ?? {}) as Figures;
  const fields: readonly string[] = figureFields[kind];
  const found = Object.entries(status).filter(([field]) => fields.includes(field));
  const before = found.length === 0 ? undefined : Object.fromEntries(found);
  return { kind, key: keyOfObject(object), uid: object.metadata.uid, before, after };
}

const keyOfObject = ({ metadata: { namespace, name } }: KubernetesObject): ObjectKey =>
  keyOf(namespace, name);

const nameOf = ({ spec }: KubernetesObject): string => (spec as SipDomainSpec).domain.toLowerCase();

/** Seconds are as fine as the Kubernetes API keeps a Time. */
const rfc3339 = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
