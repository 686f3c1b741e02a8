/**
 * Tries the logins that a SipCluster's Secrets hold, each on a connection of its own: at once when a Secret changed, and now and then,
 * because a password also changes in MySQL alone, and not every Secret is watched. Open connections outlive the password they were made
 * with, so that without this a wrong one shows hours later, when the server restarts.
 */
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import { failureOf, type Failure } from "../adapters/mysql/failure.ts";
import type { LoginProblems } from "../installations.ts";
import type { Ms } from "../runtime/clock.ts";
import type { ObjectKey } from "../runtime/object.ts";

/** Rarely enough that no server locks the account for it. */
const every: Ms = 60_000;

/** What the server or the Secret says of the login itself; everything else is an outage, and says nothing about it. */
const ofLogin = new Set([
  "DatabaseAccessDenied",
  "DatabaseNotFound",
  "DatabaseTlsFailed",
  "SecretNotFound",
  "SecretKeyNotFound",
]);

export interface LoginTries {
  /** Throws what is wrong with the operator's login. */
  readonly operator: () => Promise<unknown>;
  /** The nodes' login; undefined: it is the operator's. Throws where its Secret has none. */
  readonly nodes: () => Promise<DatabaseAddress | undefined>;
}

export class LoginChecks {
  readonly #tryLogin: (address: DatabaseAddress) => Promise<void>;
  readonly #now: () => number;
  readonly #problems = new Map<ObjectKey, LoginProblems>();
  readonly #triedAt = new Map<ObjectKey, number>();
  readonly #trying = new Map<ObjectKey, Promise<void>>();

  /** `now` in milliseconds. */
  constructor(tryLogin: (address: DatabaseAddress) => Promise<void>, now: () => number) {
    this.#tryLogin = tryLogin;
    this.#now = now;
  }

  of(key: ObjectKey): LoginProblems {
    return this.#problems.get(key) ?? {};
  }

  isDue(key: ObjectKey): boolean {
    return this.#now() - (this.#triedAt.get(key) ?? Number.NEGATIVE_INFINITY) >= every;
  }

  /** Never throws. A check that is asked for while one is under way begins when that has ended. */
  check(key: ObjectKey, tries: LoginTries): Promise<void> {
    this.#triedAt.set(key, this.#now());
    const trying = (this.#trying.get(key) ?? Promise.resolve()).then(() => this.#check(key, tries));
    this.#trying.set(key, trying);
    return trying.finally(() => {
      if (this.#trying.get(key) === trying) this.#trying.delete(key);
    });
  }

  forget(key: ObjectKey): void {
    this.#problems.delete(key);
    this.#triedAt.delete(key);
  }

  async #check(key: ObjectKey, { operator, nodes }: LoginTries): Promise<void> {
    const before = this.of(key);
    const found = {
      operator: await this.#problem(operator, before.operator),
      nodes: await this.#problem(async () => {
        const address = await nodes();
        if (address !== undefined) await this.#tryLogin(address);
      }, before.nodes),
    };
    if (!this.#triedAt.has(key)) return; // forgotten meanwhile
    this.#problems.set(key, {
      ...(found.operator === undefined ? {} : { operator: found.operator }),
      ...(found.nodes === undefined ? {} : { nodes: found.nodes }),
    });
  }

  async #problem(attempt: () => Promise<unknown>, before: Failure | undefined): Promise<Failure | undefined> {
    try {
      await attempt();
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      return failure !== undefined && ofLogin.has(failure.reason) ? failure : before;
    }
  }
}
