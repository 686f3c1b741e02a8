/**
 * Whether a SipCluster's database is another one than before although its spec did not change: emptied, or another one's in its place. It
 * is said for a day, because an Event is gone after an hour. No input and no output.
 */
import type { Ms } from "../runtime/clock.ts";
import type { CommonStatus } from "../runtime/object.ts";
import { databaseReplaced } from "./assess-database.ts";

const saidFor: Ms = 24 * 3_600_000;

export interface DatabaseObservation {
  /** Of the installation that the database has now. */
  readonly id: string;
  /** What was said last. */
  readonly status: CommonStatus & { readonly installationId?: string };
  readonly generation: number;
  /** The annotation take-over names this installation. */
  readonly isTakenOnPurpose: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export class ReplacedDatabase {
  /** The generation of the spec under which the database was last seen that the status states. */
  #generation: number | undefined;
  #replaced: { readonly id: string; readonly at: number; readonly message: string } | undefined;

  /** What is to be said; undefined: nothing. */
  observe({ id, status, generation, isTakenOnPurpose, now }: DatabaseObservation): string | undefined {
    const had = status.installationId;
    const isAsked = (this.#generation ?? status.observedGeneration) !== generation || isTakenOnPurpose;
    // A database that the spec asks for is so until the status states it, however often it is looked at before.
    if (had === undefined || had === id) this.#generation = generation;
    if (had !== undefined && had !== id) {
      this.#replaced = isAsked ? undefined : { id, at: now, message: sayReplaced(had, id) };
    } else if (had === id) {
      // An operator that has just begun goes on with what the one before it said.
      const said = status.conditions?.find(
        ({ type, reason }) => type === "DatabaseReady" && reason === databaseReplaced,
      );
      if (said !== undefined) this.#replaced ??= { id, at: now, message: said.message };
    }
    const found = this.#replaced;
    return found?.id === id && now - found.at < saidFor ? found.message : undefined;
  }
}

const sayReplaced = (before: string, now: string): string =>
  `the database was emptied or replaced: it has the installation ${now}, and had ${before}. Domains and users are written anew from their objects, phones are known again when they register; rows that no object describes are lost. If that was not meant, restore a backup`;
