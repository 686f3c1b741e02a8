/** What a reconcile that failed says about itself. The failure itself goes on to the loop, which backs off. */
import type { Verdict } from "../../runtime/condition.ts";
import { notReady } from "../../runtime/decision.ts";
import { DatabaseUnavailable, DuplicateKey } from "./database.ts";
import { LeadershipLost } from "./installation.ts";
import { UnservableDatabase } from "./server.ts";

export function verdictOfFailure(error: unknown): Verdict {
  if (error instanceof DuplicateKey) {
    return notReady(
      "Conflict",
      "somebody else made a row of one of its names at this moment; looked at again",
    );
  }
  if (error instanceof DatabaseUnavailable)
    return notReady("DatabaseUnavailable", `${error.message}; tried again until it is back`);
  if (error instanceof UnservableDatabase) return notReady("DatabaseUnavailable", error.message);
  if (error instanceof LeadershipLost) return notReady("DatabaseTaken", error.message);
  return notReady(
    "InternalError",
    `unexpected: ${error instanceof Error ? error.message : String(error)}; tried again, see the log`,
  );
}
