/**
 * What nodes tell each other about leases, as unsigned 32-bit numbers in the frames of `cluster/` (`cluster/frame.ts`). A sequence number
 * takes two of them: it counts every change of a node and must not begin again. Pure.
 *
 *   question, in a ping     applied (2)
 *   reply, in its answer    does the receiver need the sender's lease (1), verdict (1), sequence (2)
 */

/** The answer of a writer. `sequence`: of its last change. */
export interface LeaseAnswer {
  /** `behind`: the missing changes are sent again. `missed`: the writer no longer has them, or the reader did not know it. */
  readonly verdict: LeaseVerdict;
  readonly sequence: number;
}
export type LeaseVerdict = "none" | "granted" | "behind" | "missed";

const verdicts: readonly LeaseVerdict[] = ["none", "granted", "behind", "missed"];
/** A high word that no sequence number reaches. */
const unknown = 0xffff_ffff;

export const packSequence = (sequence: number): readonly number[] => [
  Math.floor(sequence / 2 ** 32),
  sequence >>> 0,
];

/** Undefined if the words are missing or say that it is unknown. */
export const readSequence = (high: number | undefined, low: number | undefined): number | undefined =>
  high === undefined || low === undefined || high === unknown ? undefined : high * 2 ** 32 + low;

export const packQuestion = (applied: number | undefined): readonly number[] =>
  applied === undefined ? [unknown, 0] : packSequence(applied);

export const packReply = (isNeeded: boolean, answer: LeaseAnswer | undefined): readonly number[] => [
  isNeeded ? 1 : 0,
  verdicts.indexOf(answer?.verdict ?? "none"),
  ...packSequence(answer?.sequence ?? 0),
];

export interface LeaseReply {
  /** The sender of the reply needs a lease of this node. */
  readonly isNeeded: boolean;
  readonly answer: LeaseAnswer | undefined;
}

/** A node of an earlier version sends no numbers: it grants nothing. */
export function readReply([isNeeded, verdict = 0, high, low]: readonly number[]): LeaseReply {
  const sequence = readSequence(high, low);
  return {
    isNeeded: isNeeded === 1,
    answer: sequence === undefined ? undefined : { verdict: verdicts[verdict] ?? "none", sequence },
  };
}
