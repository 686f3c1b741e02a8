/** A location store in memory, for tests. It passes the same contract suite as the store on MySQL. */
import {
  type Account,
  type AnonymousCallers,
  type Aor,
  defaultRegistration,
  type Domain,
  type OnMaxContacts,
  type Resolution,
} from "../../sip-node/src/location/account.ts";
import { aorText } from "../../sip-node/src/location/account.ts";
import type { AccountChanges } from "../../sip-node/src/location/account-changes.ts";
import type {
  AorBindings,
  Binding,
  BindingChange,
  CommitOutcome,
  OwnedBinding,
} from "../../sip-node/src/location/binding.ts";
import { contactKey } from "../../sip-node/src/location/contact-key.ts";
import type { DialogTarget } from "../../sip-node/src/location/dialog-target.ts";
import {
  type LocationStore,
  type NameKind,
  StoreUnavailable,
} from "../../sip-node/src/location/location-store.ts";
import { storageProblem } from "../../sip-node/src/location/storage-problem.ts";

interface Row {
  readonly aor: Aor;
  readonly binding: Binding;
  /** When it expires, by the store's clock in seconds. */
  readonly expiresAt: number;
}

export interface NewDomain {
  readonly aliasOf?: string;
  readonly isEnabled?: boolean;
  readonly realm?: string;
  readonly maxContacts?: number;
  readonly onMaxContacts?: OnMaxContacts;
  readonly anonymousCallers?: AnonymousCallers;
}

export interface NewUser {
  readonly password?: string;
  readonly ha1?: string;
  readonly ha1b?: string;
  readonly isEnabled?: boolean;
  readonly maxContacts?: number;
}

export class MemoryLocation implements LocationStore {
  /** The store's clock, in seconds. Tests move it to let bindings expire. */
  now = 1_800_000_000;
  /** How often rows of users, domains and aliases were written. */
  #changeSeq = 0;
  /** True: every call fails, as when the database is unavailable. */
  isAway = false;
  readonly #domains = new Map<string, NewDomain>();
  readonly #users = new Map<string, Aor & NewUser>();
  readonly #aliases = new Map<string, Aor>();
  readonly #aliasNames = new Map<string, Aor>();
  readonly #versions = new Map<string, number>();
  readonly #targets = new Map<string, DialogTarget>();
  readonly #rows = new Map<string, Row>();

  addDomain(name: string, domain: NewDomain = {}): void {
    this.#changeSeq += 1;
    this.#domains.set(name, domain);
  }

  addUser(username: string, domain: string, user: NewUser = {}): void {
    this.#changeSeq += 1;
    this.#users.set(aorText({ username, domain }), { username, domain, ...user });
  }

  addAlias(alias: Aor, of: Aor): void {
    this.#changeSeq += 1;
    this.#aliases.set(aorText(alias), of);
    this.#aliasNames.set(aorText(alias), alias);
  }

  /** A row as another tool writes it: no version is raised. */
  addRow(aor: Aor, binding: Binding): void {
    this.#rows.set(binding.id, { aor, binding, expiresAt: this.now + binding.expiresIn });
  }

  async resolve(names: readonly Aor[]): Promise<readonly Resolution[]> {
    this.#check();
    return names.map((name) => this.#resolveOne(name));
  }

  async bindings(aors: readonly Aor[]): Promise<readonly AorBindings[]> {
    this.#check();
    const rows = [...this.#rows.values()];
    return aors.map((aor) => ({
      version: this.#versions.get(aorText(aor)) ?? 0,
      bindings: rows.filter((row) => aorText(row.aor) === aorText(aor)).map((row) => this.#read(row)),
    }));
  }

  async bindingsById(ids: readonly string[]): Promise<readonly (Binding | undefined)[]> {
    this.#check();
    return ids.map((id) => {
      const row = this.#rows.get(id);
      return row === undefined ? undefined : this.#read(row);
    });
  }

  async bindingsByContact(key: string, limit: number): Promise<readonly OwnedBinding[]> {
    this.#check();
    return [...this.#rows.values()]
      .filter(({ binding, expiresAt }) => contactKey(binding.contact) === key && expiresAt > this.now)
      .slice(0, limit)
      .map((row) => ({ aor: row.aor, binding: this.#read(row) }));
  }

  async accountChanges(): Promise<AccountChanges> {
    this.#check();
    const { now } = this;
    return { changeSeq: `${this.#changeSeq}`, databaseNow: now * 1000, tables: "", isTableFresh: false };
  }

  async names(kind: NameKind, after: Aor, limit: number): Promise<readonly Aor[]> {
    this.#check();
    const all: Readonly<Record<NameKind, () => readonly Aor[]>> = {
      domains: () => [...this.#domains.keys()].map((domain) => ({ username: "", domain })),
      users: () => [...this.#users.values()].map(({ username, domain }) => ({ username, domain })),
      aliases: () => [...this.#aliasNames.values()],
    };
    const keyOf = ({ username, domain }: Aor) => `${username} ${domain}`;
    return all[kind]()
      .filter((name) => keyOf(name) > keyOf(after))
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      .slice(0, limit);
  }

  async dialogTargets(sideIds: readonly string[]): Promise<readonly (DialogTarget | undefined)[]> {
    this.#check();
    return sideIds.map((id) => this.#targets.get(id));
  }

  async storeDialogTargets(targets: readonly DialogTarget[]): Promise<void> {
    this.#check();
    for (const target of targets) this.#targets.set(target.sideId, target);
  }

  async commit(changes: readonly BindingChange[]): Promise<readonly CommitOutcome[]> {
    this.#check();
    return changes.map((change) => this.#commitOne(change));
  }

  #resolveOne(name: Aor): Resolution {
    const canonical = this.#domains.get(name.domain)?.aliasOf ?? name.domain;
    const there = { username: name.username, domain: canonical };
    const user =
      this.#users.get(aorText(there)) ?? this.#users.get(aorText(this.#aliases.get(aorText(there)) ?? there));
    const domain = this.#domains.has(name.domain) ? this.#domain(user?.domain ?? canonical) : undefined;
    return {
      domain,
      account: domain === undefined || user === undefined ? undefined : this.#account(user, domain),
    };
  }

  #domain(name: string): Domain {
    const {
      isEnabled = true,
      realm = name,
      maxContacts = defaultRegistration.maxContacts,
      onMaxContacts = defaultRegistration.onMaxContacts,
      anonymousCallers = "Allow",
    } = this.#domains.get(name) ?? {};
    return {
      name,
      realm,
      isEnabled,
      registration: { ...defaultRegistration, maxContacts, onMaxContacts },
      algorithms: ["MD5"],
      anonymousCallers,
    };
  }

  #account(user: Aor & NewUser, domain: Domain): Account {
    const {
      username,
      password,
      ha1,
      ha1b,
      isEnabled = true,
      maxContacts = domain.registration.maxContacts,
    } = user;
    return {
      username,
      domain: user.domain,
      realm: domain.realm,
      isEnabled,
      ha1,
      ha1Sha256: undefined,
      ha1b,
      ha1bSha256: undefined,
      password,
      algorithms: domain.algorithms,
      registration: { ...domain.registration, maxContacts },
    };
  }

  #read({ binding, expiresAt }: Row): Binding {
    return { ...binding, expiresIn: expiresAt - this.now };
  }

  #commitOne({ aor, version, bindings }: BindingChange): CommitOutcome {
    const key = aorText(aor);
    if ((this.#versions.get(key) ?? 0) !== version) return "conflict";
    const unfit = bindings.map(storageProblem).find((reason) => reason !== undefined);
    if (unfit !== undefined) return { unfit };
    this.#versions.set(key, version + 1);
    for (const binding of bindings)
      this.addRow(aor, {
        ...binding,
        registeredAt: binding.registeredAt || this.now * 1000,
        refreshedAt: this.now * 1000,
      });
    return "committed";
  }

  #check(): void {
    if (this.isAway) throw new StoreUnavailable("memory", new Error("away"));
  }
}
