/**
 * Reads of the database, and the answers from the copy while it is away (P7). A look-up that waits for a database that does not answer is
 * answered from the copy when the database is found to be away.
 */
import type { Ms } from "../wire/units.ts";
import { StoreUnavailable } from "./location-store.ts";
import type { LookupKind, LookupResult } from "./lookup.ts";
import { StoreHealth } from "./store-health.ts";

interface WaitingLookup {
  /** Called when the database is away. Returns whether the look-up was answered. */
  fallBack(): boolean;
}

export class DatabaseReads {
  readonly health = new StoreHealth();
  private readonly waiting = new Set<WaitingLookup>();
  private readonly lookedUp: (kind: LookupKind, result: LookupResult) => void;

  constructor(lookedUp: (kind: LookupKind, result: LookupResult) => void) {
    this.lookedUp = lookedUp;
  }

  /** Answers from the copy what waits for a database that is away. Returns whether to poll the database now. */
  advance(now: Ms): boolean {
    const isPollDue = this.health.advance(now);
    if (this.health.isAway) for (const lookup of this.waiting) lookup.fallBack();
    return isPollDue;
  }

  /** A look-up was answered from a copy that is current. */
  answerCopied<Answer>(kind: LookupKind, answer: Answer): Promise<Answer> {
    this.lookedUp(kind, "copy");
    return Promise.resolve(answer);
  }

  /**
   * Reads the database. While it is away: answers with `fromCopy`, whatever its age, or rejects. A look-up that the copy never answers does not
   * wait for a slow database.
   */
  read<Answer>(
    kind: LookupKind,
    run: () => Promise<Answer>,
    fromCopy?: () => Answer | undefined,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (result: LookupResult, act: () => void): true => {
        if (this.waiting.delete(lookup)) this.lookedUp(kind, result);
        act(); // a promise that is settled already ignores it
        return true;
      };
      const refuse = (cause: Error) => settle("unavailable", () => reject(cause));
      const lookup: WaitingLookup = {
        fallBack: () => {
          const answer = fromCopy?.();
          if (answer !== undefined) return settle("away", () => resolve(answer));
          return fromCopy === undefined || this.health.hasFailed ? refuse(this.unavailable()) : false;
        },
      };
      this.waiting.add(lookup);
      if (this.health.isAway && lookup.fallBack()) return;
      run().then(
        (answer) => settle("database", () => resolve(answer)),
        (error: Error) => {
          const answer = error instanceof StoreUnavailable ? this.suspect(fromCopy) : undefined;
          if (answer === undefined) refuse(error);
          else settle("away", () => resolve(answer));
        },
      );
    });
  }

  private suspect<Answer>(fromCopy?: () => Answer | undefined): Answer | undefined {
    this.health.suspect();
    return fromCopy?.();
  }

  unavailable(): StoreUnavailable {
    return new StoreUnavailable("the database is away", this.health.cause ?? "no answer");
  }
}
