/**
 * Writes into the status of SipUsers and SipDomains who is registered (ADR 36). Two loops that do not wait for each other: one reads every
 * database every ten seconds, the other writes one status every 100 ms while there is something new. So a user who appears is shown within
 * 30 s as long as fewer than ten change a second.
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
import { figureFields, perObject, planFigures, type ObjectFigures, type Figures } from "./plan-figures.ts";
import { parseSipUser } from "./resource.ts";

const everyMs = 10_000;
const betweenWritesMs = 100;
/** So many writes may wait for their answer; then the API server is slower than ten a second. */
const writesUnderWay = 20;

export interface RegistrationFiguresOptions {
  readonly installations: Installations;
  readonly source: Source;
  readonly clock: Clock;
  /** Current bindings in a SipCluster's database, each time that they were counted. */
  readonly onCount: (cluster: ObjectKey, bindings: number) => void;
  /** A read or a write that failed; the next one tries again. */
  readonly onFailure: (cause: unknown) => void;
}

export class RegistrationFigures {
  readonly #options: RegistrationFiguresOptions;
  /** When an object's figures were last written, by uid. */
  readonly #written = new Map<string, number>();
  /** What was found in each database that is open. */
  readonly #found = new Map<Installation, readonly ObjectFigures[]>();
  readonly #reading = new Set<Installation>();
  /** Uids of writes under way. */
  readonly #writing = new Set<string>();
  /** The first is written next. */
  #due: readonly ObjectFigures[] = [];
  #callOffs: readonly (() => void)[] = [];

  constructor(options: RegistrationFiguresOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, onFailure } = this.#options;
    this.#callOffs = [
      repeat(clock, everyMs, () => this.read(), onFailure),
      repeat(clock, betweenWritesMs, () => this.writeNext(), onFailure),
    ];
  }

  stop(): void {
    for (const callOff of this.#callOffs) callOff();
  }

  /** Reads each database by itself, but none that still is being read. Never throws. */
  async read(): Promise<void> {
    const { installations, onFailure } = this.#options;
    const open = installations.open();
    for (const one of this.#found.keys()) if (!open.includes(one)) this.#found.delete(one);
    const idle = open.filter((one) => !this.#reading.has(one));
    await Promise.all(idle.map((one) => this.#readOne(one).catch(onFailure)));
  }

  /** Returns whether there was anything to write. Never throws. */
  async writeNext(): Promise<boolean> {
    const [one, ...rest] = this.#due;
    if (one === undefined || this.#writing.size >= writesUnderWay) return false;
    const { source, clock, onFailure } = this.#options;
    this.#due = rest;
    this.#writing.add(one.uid);
    try {
      await source.writeStatus(one.kind, one.key, one.after, "registrations");
      this.#written.set(one.uid, clock.now());
    } catch (cause) {
      onFailure(cause);
    }
    this.#writing.delete(one.uid);
    return true;
  }

  async #readOne(installation: Installation): Promise<void> {
    this.#reading.add(installation);
    try {
      this.#found.set(installation, await this.#figuresIn(installation));
    } finally {
      this.#reading.delete(installation);
    }
    const now = this.#options.clock.now();
    for (const [uid, at] of this.#written) if (now - at >= perObject) this.#written.delete(uid);
    const idle = [...this.#found.values()].flat().filter(({ uid }) => !this.#writing.has(uid));
    this.#due = planFigures(idle, this.#written, now);
  }

  async #figuresIn(installation: Installation): Promise<readonly ObjectFigures[]> {
    const { source, onCount } = this.#options;
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

/** Of the users of these domains that have an address, and of the domains themselves. `owned`: users with rows, by the name of their domain. */
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
