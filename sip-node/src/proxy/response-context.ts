/**
 * The response context of a forwarded request (RFC 3261 §16.7): one server transaction, a branch for each target, and what to send
 * up or down at each event. Pure: events in, effects out; the floor plan acts.
 *
 *                    ┌ branch ── pending ── proceeding ── final
 *   server request ──┼ branch
 *                    └ branch      2xx of one: up at once, CANCEL to the others
 *                                  6xx of one: CANCEL to the others, up when all are final
 *                                  all final:  the best one up
 *                                  silence:    the best one up without the branches that say nothing (ADR 29)
 */
import type { Response } from "../wire/message.ts";
import { bestResponse } from "./best-response.ts";
import { answeredElsewhere, refusedElsewhere } from "./cancel-reason.ts";

export type BranchState = "pending" | "proceeding" | "final";

export interface BranchOf<Target> {
  readonly target: Target;
  readonly state: BranchState;
  /** Header lines of its CANCEL, which is sent or waits for the first provisional response (§9.1); undefined: it is not cancelled. */
  readonly cancelLines: string | undefined;
  readonly status: number;
  /** The final response; undefined for one that we made ourselves, such as 408. */
  readonly response: Response | undefined;
}

export interface ResponseContext<Target> {
  readonly isInvite: boolean;
  readonly branches: readonly BranchOf<Target>[];
  readonly hasAnswered: boolean;
}

/** `branch` is its place in `branches`. */
export type Effect =
  | {
      readonly kind: "relay";
      readonly response: Response;
      readonly status: number;
      readonly also: readonly Response[];
    }
  | { readonly kind: "reply"; readonly status: number }
  | { readonly kind: "cancel"; readonly branch: number; readonly lines: string }
  /** The caller is told nothing: a 408 to a request that is no INVITE, ours or a phone's, comes too late to be of use (RFC 4320 §4.2). */
  | { readonly kind: "give-up" };

export type Event =
  | { readonly kind: "response"; readonly branch: number; readonly response: Response }
  /** No answer in time, or none to be had: 408, 480, 500 ... (§16.8, §16.9). */
  | { readonly kind: "failure"; readonly branch: number; readonly status: number }
  /** The caller's CANCEL, with the header lines that go on with it. */
  | { readonly kind: "cancel"; readonly lines: string }
  /** The context has been held by silence for as long as the floor plan waits. */
  | { readonly kind: "silence" };

export interface Step<Target> {
  readonly context: ResponseContext<Target>;
  readonly effects: readonly Effect[];
}

export const responseContext = <Target>(
  isInvite: boolean,
  targets: readonly Target[],
): ResponseContext<Target> => ({
  isInvite,
  hasAnswered: false,
  branches: targets.map((target) => ({
    target,
    state: "pending",
    cancelLines: undefined,
    status: 0,
    response: undefined,
  })),
});

export function step<Target>(context: ResponseContext<Target>, event: Event): Step<Target> {
  if (event.kind === "cancel") return cancelPending(context, event.lines, []);
  if (event.kind === "silence") return answerWithoutSilent(context);
  const branch = context.branches[event.branch];
  if (branch === undefined) return { context, effects: [] };
  // What its phone would say to a CANCEL, had it ever heard of the call
  if (event.kind === "failure")
    return final(context, event.branch, branch.cancelLines !== undefined ? 487 : event.status, undefined);
  const { response } = event;
  if (response.status < 200) return provisional(context, event.branch, branch, response);
  return final(context, event.branch, response.status, response);
}

// §16.7 steps 1 to 5 for 1xx: Timer C is the floor plan's; 100 stays here
function provisional<T>(
  context: ResponseContext<T>,
  at: number,
  branch: BranchOf<T>,
  response: Response,
): Step<T> {
  if (branch.state === "final") return { context, effects: [] };
  const effects: Effect[] = [];
  if (branch.state === "pending" && branch.cancelLines !== undefined)
    effects.push({ kind: "cancel", branch: at, lines: branch.cancelLines });
  if (response.status > 100 && !context.hasAnswered)
    effects.push({ kind: "relay", response, status: response.status, also: [] });
  return { context: withBranch(context, at, { ...branch, state: "proceeding" }), effects };
}

function final<T>(
  context: ResponseContext<T>,
  at: number,
  status: number,
  response: Response | undefined,
): Step<T> {
  const branch = context.branches[at];
  if (branch === undefined) return { context, effects: [] };
  const isSuccess = status < 300 && response !== undefined;
  if (branch.state === "final" && !isSuccess) return { context, effects: [] };
  const after = withBranch(context, at, { ...branch, state: "final", status, response });
  // Every 2xx to INVITE goes up, also a second one (step 5); of others the first
  if (isSuccess) {
    if (!context.isInvite && context.hasAnswered) return { context: after, effects: [] };
    return cancelPending({ ...after, hasAnswered: true }, answeredElsewhere, [
      { kind: "relay", response, status, also: [] },
    ]);
  }
  if (status >= 600 && !context.hasAnswered) {
    const cancelled = cancelPending(after, refusedElsewhere(status), []);
    return conclude(cancelled.context, cancelled.effects);
  }
  return conclude(after, []);
}

// Step 6: when all branches are final and nothing went up
function conclude<T>(context: ResponseContext<T>, effects: readonly Effect[]): Step<T> {
  if (context.hasAnswered || context.branches.some(({ state }) => state !== "final"))
    return { context, effects };
  const best = bestResponse(context.branches);
  const answered = { ...context, hasAnswered: true };
  if (best === undefined) return { context: answered, effects };
  return { context: answered, effects: [...effects, answer(context, best)] };
}

/**
 * Whether the answer is known but for branches that say nothing: a phone has refused or the caller has cancelled, and what is not final
 * has never answered, or not since its CANCEL (ADR 29).
 */
export const isHeldBySilence = <T>({ hasAnswered, branches }: ResponseContext<T>): boolean =>
  !hasAnswered &&
  branches.some(({ response, cancelLines }) => response !== undefined || cancelLines !== undefined) &&
  branches.every(({ state, cancelLines }) => state !== "proceeding" || cancelLines !== undefined);

/** Silent branches go on: they are cancelled at their first provisional response, and a 2xx of theirs still goes up. */
function answerWithoutSilent<T>(context: ResponseContext<T>): Step<T> {
  if (!isHeldBySilence(context)) return { context, effects: [] };
  const known = context.branches.flatMap((branch) => {
    if (branch.state === "final") return [branch];
    return branch.cancelLines === undefined ? [] : [{ ...branch, status: 487 }];
  });
  const best = bestResponse(known);
  const effects = best === undefined ? [] : [answer(context, best)];
  return cancelPending({ ...context, hasAnswered: true }, "", effects);
}

function answer<T>(context: ResponseContext<T>, best: BranchOf<T>): Effect {
  const { status, response } = best;
  if (status === 408 && !context.isInvite) return { kind: "give-up" };
  // A 503 would make the caller shun the one address it knows (step 6, §21.5.4)
  if (status === 503) return { kind: "reply", status: 500 };
  if (response === undefined) return { kind: "reply", status };
  const also = status === 401 || status === 407 ? challenges(context, response) : [];
  return { kind: "relay", response, status, also };
}

/** The other branches' challenges go up with the best one (step 7). */
const challenges = <T>(context: ResponseContext<T>, best: Response): Response[] =>
  context.branches.flatMap(({ response }) =>
    response !== undefined && response !== best && (response.status === 401 || response.status === 407)
      ? [response]
      : [],
  );

// Step 10, §16.10: only INVITE is cancelled; a branch without a provisional response waits for one (§9.1)
function cancelPending<T>(context: ResponseContext<T>, lines: string, before: readonly Effect[]): Step<T> {
  if (!context.isInvite) return { context, effects: before };
  const effects: Effect[] = [...before];
  const branches = context.branches.map((branch, at) => {
    if (branch.state === "final" || branch.cancelLines !== undefined) return branch;
    if (branch.state === "proceeding") effects.push({ kind: "cancel", branch: at, lines });
    return { ...branch, cancelLines: lines };
  });
  return { context: { ...context, branches }, effects };
}

const withBranch = <T>(context: ResponseContext<T>, at: number, branch: BranchOf<T>): ResponseContext<T> => ({
  ...context,
  branches: context.branches.map((other, i) => (i === at ? branch : other)),
});
