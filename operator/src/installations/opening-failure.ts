/** A failed attempt to open a database. It answers further requests for a while, so that they do not all try again. */
import type { Ms } from "../runtime/clock.ts";
import type { KubernetesObject } from "../runtime/object.ts";

export interface OpeningFailure {
  readonly error: Error;
  /** Of the SipCluster whose spec was tried. */
  readonly uid: string;
  readonly generation: number;
  /** Milliseconds since 1970, by the clock of this process. */
  readonly until: number;
}

/** The heartbeats try sooner. */
const repeatedFor: Ms = 15_000;

export const openingFailure = (
  cause: unknown,
  { uid, generation }: { readonly uid: string; readonly generation: number },
  now: number,
): OpeningFailure => ({
  error: cause instanceof Error ? cause : new Error(String(cause)),
  uid,
  generation,
  until: now + repeatedFor,
});

/** Whether it is recent, and of this SipCluster as it is now. */
export const isRecent = (failure: OpeningFailure, { metadata }: KubernetesObject, now: number): boolean =>
  failure.uid === metadata.uid && failure.generation === metadata.generation && now < failure.until;
