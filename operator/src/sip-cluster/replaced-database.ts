/**
 * Detects that a SipCluster's database was emptied or replaced while its spec did not change. The notice stays for one day, because an
 * Event is deleted after one hour. No input and no output.
 */
import type { Ms } from "../runtime/clock.ts";
import type { CommonStatus } from "../runtime/object.ts";
import { databaseReplaced } from "./assess-database.ts";

const noticeFor: Ms = 24 * 3_600_000;

export interface DatabaseObservation {
  /** The installation id in the database now. */
  readonly id: string;
  /** As it was last written. */
  readonly status: CommonStatus & { readonly installationId?: string };
  readonly generation: number;
  /** The annotation take-over names this installation. */
  readonly isTakeOver: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export class ReplacedDatabase {
  /** The generation of the spec when the database last matched the installation id in the status. */
  #generation: number | undefined;
  #replaced: { readonly id: string; readonly at: number; readonly message: string } | undefined;

  /** Returns the message of the notice; undefined: there is none. */
  observe({ id, status, generation, isTakeOver, now }: DatabaseObservation): string | undefined {
    const previousId = status.installationId;
    const isIntended = (this.#generation ?? status.observedGeneration) !== generation || isTakeOver;
    // A change of the spec explains another database until the status has its installation id.
    if (previousId === undefined || previousId === id) this.#generation = generation;
    if (previousId !== undefined && previousId !== id) {
      this.#replaced = isIntended ? undefined : { id, at: now, message: describeReplaced(previousId, id) };
    } else if (previousId === id) {
      // After a restart the operator continues the notice that is in the status.
      const stated = status.conditions?.find(
        ({ type, reason }) => type === "DatabaseReady" && reason === databaseReplaced,
      );
      if (stated !== undefined) this.#replaced ??= { id, at: now, message: stated.message };
    }
    const found = this.#replaced;
    return found?.id === id && now - found.at < noticeFor ? found.message : undefined;
  }
}

const describeReplaced = (before: string, now: string): string =>
  `the database was emptied or replaced: it has the installation id ${now} instead of ${before}. The operator writes domains and users again from their objects, and phones are reachable again after they register; rows that no object describes are lost. If this was not intended, restore a backup`;
