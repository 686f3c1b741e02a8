/**
 * Tries the logins in a SipCluster's Secrets, each on a connection of its own: at once when a Secret changed, and once a minute, because a
 * password can change in MySQL alone, and not every Secret is watched. Open connections survive a change of the password. Without these
 * checks a wrong password would be found hours later, when the server restarts.
 */
import type { DatabaseAddress } from "../adapters/mysql/database-url.ts";
import { failureOf, type Failure } from "../adapters/mysql/failure.ts";
import type { LoginProblems } from "../installations.ts";
import type { Ms } from "../runtime/clock.ts";

/** Rare enough that no server locks the account. */
const every: Ms = 60_000;

/** Failures of the login itself. Any other failure is an outage, which proves nothing about the login. */
const loginFailures = new Set([
  "DatabaseAccessDenied",
  "DatabaseNotFound",
  "DatabaseTlsFailed",
  "SecretNotFound",
  "SecretKeyNotFound",
]);

export interface LoginTries {
  /** Throws what is wrong with the operator's login. */
  readonly operator: () => Promise<unknown>;
  /** The nodes' login; undefined: it is the operator's. Throws where the Secret holds none. */
  readonly nodes: () => Promise<DatabaseAddress | undefined>;
}

export class LoginChecks {
  readonly #tryLogin: (address: DatabaseAddress) => Promise<void>;
  readonly #now: () => number;
  #problems: LoginProblems = {};
  #triedAt: number | undefined;
  #trying: Promise<void> = Promise.resolve();

  /** `now` in milliseconds. */
  constructor(tryLogin: (address: DatabaseAddress) => Promise<void>, now: () => number) {
    this.#tryLogin = tryLogin;
    this.#now = now;
  }

  get problems(): LoginProblems {
    return this.#problems;
  }

  isDue(): boolean {
    return this.#triedAt === undefined || this.#now() - this.#triedAt >= every;
  }

  /** Never throws. A check begins when the check before it has ended. */
  check(tries: LoginTries): Promise<void> {
    this.#triedAt = this.#now();
    this.#trying = this.#trying.then(() => this.#check(tries));
    return this.#trying;
  }

  /** Also a check under way reports no problem then. */
  forget(): void {
    this.#problems = {};
    this.#triedAt = undefined;
  }

  async #check({ operator, nodes }: LoginTries): Promise<void> {
    const before = this.#problems;
    const found = {
      operator: await this.#problem(operator, before.operator),
      nodes: await this.#problem(async () => {
        const address = await nodes();
        if (address !== undefined) await this.#tryLogin(address);
      }, before.nodes),
    };
    if (this.#triedAt === undefined) return; // forgotten meanwhile
    this.#problems = {
      ...(found.operator === undefined ? {} : { operator: found.operator }),
      ...(found.nodes === undefined ? {} : { nodes: found.nodes }),
    };
  }

  async #problem(attempt: () => Promise<unknown>, before: Failure | undefined): Promise<Failure | undefined> {
    try {
      await attempt();
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      return failure !== undefined && loginFailures.has(failure.reason) ? failure : before;
    }
  }
}
