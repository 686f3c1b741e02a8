/**
 * The domains and users that this node has in memory (docs/adr/0045), by the name that was looked up. Only what exists is stored: a stranger
 * cannot fill the table, and a new user is found at once. Pure.
 */
import type { Ms } from "../wire/units.ts";
import { flatText } from "../wire/flat-text.ts";
import { type Account, type Aor, aorText, type Domain, isSameAor, type Resolution } from "./account.ts";

export interface ResolutionEntry {
  readonly resolution: Resolution;
  readonly readAt: Ms;
  readonly epoch: number;
  isUsed: boolean;
}

export class ResolutionCopy {
  /** Raised by each `distrust`. */
  epoch = 0;
  evictions = 0;
  private readonly entries = new Map<string, ResolutionEntry>();
  private readonly domains = new Map<string, Domain>();
  private readonly limit: number;

  /** `limit`: of names. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.entries.size;
  }

  /** `key`: `aorText` of the name. */
  find(key: string): ResolutionEntry | undefined {
    const entry = this.entries.get(key);
    if (entry !== undefined) entry.isUsed = true;
    return entry;
  }

  /** Every name is read again at its next use. */
  distrust(): void {
    this.epoch += 1;
  }

  /**
   * What a read found that began at `startedAt` in `startedIn`. Returns the user whose bindings are no longer its own: it was deleted, or the
   * name belongs to another user now.
   */
  store(name: Aor, resolution: Resolution, startedAt: Ms, startedIn: number): Account | undefined {
    const key = aorText(name);
    const before = this.entries.get(key);
    if (before !== undefined && before.readAt > startedAt) return undefined;
    this.entries.delete(key);
    if (isWorthStoring(name, resolution)) this.insert(key, resolution, startedAt, startedIn);
    const former = before?.resolution.account;
    if (former === undefined || !isSameAor(former, name)) return undefined;
    return isSameAor(former, resolution.account) ? undefined : former;
  }

  private insert(key: string, resolution: Resolution, readAt: Ms, epoch: number): void {
    if (this.entries.size >= this.limit) this.evict();
    this.entries.set(flatText(key), { resolution: this.compact(resolution), readAt, epoch, isUsed: false });
  }

  /** An entry that was used is passed over once. */
  private evict(): void {
    for (const [key, entry] of this.entries) {
      this.entries.delete(key);
      if (!entry.isUsed) break;
      entry.isUsed = false;
      this.entries.set(key, entry);
    }
    this.evictions += 1;
  }

  /** Users of one domain have equal settings in most cases: they are stored once. */
  private compact({ domain, account }: Resolution): Resolution {
    if (domain === undefined) return { domain, account };
    const shared = this.share(domain);
    if (account === undefined) return { domain: shared, account };
    const hasSettings = account.registration.maxContacts === shared.registration.maxContacts;
    return {
      domain: shared,
      account: {
        ...account,
        domain: account.domain === shared.name ? shared.name : account.domain,
        realm: account.realm === shared.realm ? shared.realm : account.realm,
        algorithms: shared.algorithms,
        registration: hasSettings ? shared.registration : account.registration,
      },
    };
  }

  private share(domain: Domain): Domain {
    const text = JSON.stringify(domain);
    const known = this.domains.get(text);
    if (known !== undefined) return known;
    if (this.domains.size >= maxDomains) this.domains.clear();
    this.domains.set(text, domain);
    return domain;
  }
}

const maxDomains = 1_000;

/** A user, or a domain that was looked up without one. */
const isWorthStoring = ({ username }: Aor, { domain, account }: Resolution): boolean =>
  account !== undefined || (domain !== undefined && username === "");
