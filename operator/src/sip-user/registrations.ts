/**
 * Writes registration counts into the status of SipUsers and SipDomains (ADR 36). Two loops do not wait for each other: one reads every
 * database every ten seconds, the other writes one status every 100 ms while there are changes. So a new registration is shown within 30 s,
 * as long as fewer than ten users change per second.
 */
import { clusterOfDatabase, type Installation } from "../adapters/mysql/installation.ts";
import { countOwnedUsers, readRegistrations, type Registration } from "../adapters/mysql/registrations.ts";
import type { Installations } from "../installations.ts";
import { clusterOfDomain } from "../references.ts";
import type { Clock } from "../runtime/clock.ts";
import { keyOf, keyOfObject, type KubernetesObject, type ObjectKey } from "../runtime/object.ts";
import { repeat } from "../runtime/repeat.ts";
import { rfc3339 } from "../runtime/rfc3339.ts";
import type { Source } from "../runtime/source.ts";
import type { SipDomainSpec, SipUserStatus } from "../sources/types.ts";
import {
  figureFields,
  hasChanged,
  perObject,
  planFigures,
  type ObjectFigures,
  type Figures,
} from "./plan-figures.ts";
import { parseSipUser } from "./resource.ts";

const everyMs = 10_000;
const betweenWritesMs = 100;
/** The limit of writes without an answer yet: the API server may be slower than ten per second. */
const writesUnderWay = 20;

export interface RegistrationFiguresDependencies {
  readonly installations: Installations;
  readonly source: Source;
  readonly clock: Clock;
  /** Called with the number of bindings in a SipCluster's database after each count. */
  readonly onCount: (cluster: ObjectKey, bindings: number) => void;
  /** A read or a write failed. The next one follows anyway. */
  readonly onFailure: (cause: unknown) => void;
}

export class RegistrationFigures {
  readonly #deps: RegistrationFiguresDependencies;
  /** The time of the last write, by uid. */
  readonly #written = new Map<string, number>();
  /** Of each open database, by uid: the figures that differed from the status at the last read and were not written since. */
  readonly #found = new Map<Installation, Map<string, ObjectFigures>>();
  readonly #reading = new Set<Installation>();
  /** Uids of writes in progress. */
  readonly #writing = new Set<string>();
  /** In the order of writing. */
  #due: readonly ObjectFigures[] = [];
  #cancels: readonly (() => void)[] = [];

  constructor(deps: RegistrationFiguresDependencies) {
    this.#deps = deps;
  }

  start(): void {
    const { clock, onFailure } = this.#deps;
    this.#cancels = [
      repeat(clock, everyMs, () => this.read(), onFailure),
      repeat(clock, betweenWritesMs, () => this.writeNext(), onFailure),
    ];
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  /** Reads each database, except those whose last read has not ended. Never throws. */
  async read(): Promise<void> {
    const { installations, onFailure } = this.#deps;
    const open = installations.open();
    for (const one of this.#found.keys()) if (!open.includes(one)) this.#found.delete(one);
    const idle = open.filter((one) => !this.#reading.has(one));
    await Promise.all(idle.map((one) => this.#readOne(one).catch(onFailure)));
  }

  /** Returns whether a write was started. Never throws. */
  async writeNext(): Promise<boolean> {
    const [one, ...rest] = this.#due;
    if (one === undefined || this.#writing.size >= writesUnderWay) return false;
    const { source, clock, onFailure } = this.#deps;
    this.#due = rest;
    this.#writing.add(one.uid);
    try {
      await source.writeStatus(one.kind, one.key, one.after, "registrations");
      this.#written.set(one.uid, clock.now());
      for (const found of this.#found.values()) if (found.get(one.uid) === one) found.delete(one.uid);
    } catch (cause) {
      onFailure(cause);
    }
    this.#writing.delete(one.uid);
    return true;
  }

  async #readOne(installation: Installation): Promise<void> {
    this.#reading.add(installation);
    try {
      const changed = (await this.#figuresIn(installation)).filter(hasChanged);
      this.#found.set(installation, new Map(changed.map((one) => [one.uid, one])));
    } finally {
      this.#reading.delete(installation);
    }
    const now = this.#deps.clock.now();
    for (const [uid, at] of this.#written) if (now - at >= perObject) this.#written.delete(uid);
    const found = [...this.#found.values()].flatMap((byUid) => [...byUid.values()]);
    const idle = found.filter(({ uid }) => !this.#writing.has(uid));
    this.#due = planFigures(idle, this.#written, now);
  }

  async #figuresIn(installation: Installation): Promise<readonly ObjectFigures[]> {
    const { source, onCount } = this.#deps;
    const { database } = installation;
    const holder = await clusterOfDatabase(database);
    if (holder === undefined) return [];
    const cluster = keyOf(holder.namespace, holder.name);
    const registrations = await readRegistrations(database);
    onCount(
      cluster,
      registrations.reduce((sum, { contacts }) => sum + contacts, 0),
    );
    const domains = source.list("SipDomain").filter((domain) => clusterOfDomain(domain) === cluster);
    return figuresOf(domains, source.list("SipUser"), registrations, await countOwnedUsers(installation));
  }
}

/** Figures of these domains, and of their users that have an address. `owned`: the number of users with rows, by domain name. */
export function figuresOf(
  domains: readonly KubernetesObject[],
  users: readonly KubernetesObject[],
  registrations: readonly Registration[],
  owned: ReadonlyMap<string, number>,
): readonly ObjectFigures[] {
  const names = new Map(domains.map((domain) => [keyOfObject(domain), nameOf(domain)]));
  const byAddress = new Map(registrations.map((one) => [`${one.username}@${one.domain}`, one]));
  const figured = users.flatMap((user): ObjectFigures[] => {
    const { domain, username } = parseSipUser(user);
    const name = names.get(domain);
    if (name === undefined || (user.status as SipUserStatus | undefined)?.address === undefined) return [];
    return [figuredOf("SipUser", user, figuresOfUser(byAddress.get(`${username}@${name}`)))];
  });
  const contacts = new Map<string, number>();
  for (const one of registrations) contacts.set(one.domain, (contacts.get(one.domain) ?? 0) + one.contacts);
  const ofDomains = domains.map((domain) => {
    const name = nameOf(domain);
    return figuredOf("SipDomain", domain, {
      users: owned.get(name) ?? 0,
      registrations: contacts.get(name) ?? 0,
    });
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

function figuredOf(kind: ObjectFigures["kind"], object: KubernetesObject, after: Figures): ObjectFigures {
  const status = (object.status ?? {}) as Figures;
  const fields: readonly string[] = figureFields[kind];
  const found = Object.entries(status).filter(([field]) => fields.includes(field));
  const before = found.length === 0 ? undefined : Object.fromEntries(found);
  return { kind, key: keyOfObject(object), uid: object.metadata.uid, before, after };
}

const nameOf = ({ spec }: KubernetesObject): string => (spec as SipDomainSpec).domain.toLowerCase();
