/**
 * The response context of a forwarded request (RFC 3261 §16.7): one server transaction, a branch for each target, and what to send
 * to the caller or to a branch at each event. Pure: an event in, effects out; `core/branches.ts` does the effects.
 *
 *                    ┌ branch ── pending ── proceeding ── final
 *   server request ──┼ branch
 *                    └ branch      2xx of one: forward it at once, CANCEL the others
 *                                  6xx of one: CANCEL the others, forward it when all are final
 *                                  all final:  forward the best response
 *                                  silence:    forward the best response without waiting for silent branches (ADR 29)
 */
import type { Response } from "../wire/message.ts";
import { bestResponse } from "./best-response.ts";
import type { CancelCause } from "./cancel-reason.ts";

export type BranchState = "pending" | "proceeding" | "final";

/** A branch as its response context sees it. */
export interface ContextBranch<Target> {
  readonly target: Target;
  readonly state: BranchState;
  /** Its CANCEL is sent, or waits for the first provisional response (§9.1); undefined: it is not cancelled. */
  readonly cancelCause: CancelCause | undefined;
  readonly status: number;
  /** The final response; undefined where this node made the status itself, such as 408, and when it is forwarded or not chosen. */
  readonly response: Response | undefined;
}

export interface ResponseContext<Target> {
  readonly isInvite: boolean;
  readonly branches: readonly ContextBranch<Target>[];
  readonly hasAnswered: boolean;
}

/** `branch` is an index of `branches`. */
export type Effect =
  /** Send the copy of this branch. */
  | { readonly kind: "start"; readonly branch: number }
  /** Forward this response to the caller, with the challenges of the responses in `also`. */
  | {
      readonly kind: "forward";
      readonly response: Response;
      readonly status: number;
      readonly also: readonly Response[];
    }
  /** Answer with a response of this node. */
  | { readonly kind: "reply"; readonly status: number }
  | { readonly kind: "cancel"; readonly branch: number; readonly cause: CancelCause }
  /** End without an answer: a 408 to a request other than INVITE arrives too late to be of use (RFC 4320 §4.2). */
  | { readonly kind: "drop" };

export type Event =
  /** The branches exist. */
  | { readonly kind: "start" }
  | { readonly kind: "response"; readonly branch: number; readonly response: Response }
  /** The branch ended without a final response; `status` stands for it: 408, 480, 503 (§16.8, §16.9). */
  | { readonly kind: "failure"; readonly branch: number; readonly status: number }
  /** The caller's CANCEL. */
  | { readonly kind: "cancel"; readonly cause: CancelCause }
  /** Only silent branches held the answer for the whole of their time limit. */
  | { readonly kind: "silence" };

export interface Handled<Target> {
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
    cancelCause: undefined,
    status: 0,
    response: undefined,
  })),
});

export function handleEvent<Target>(context: ResponseContext<Target>, event: Event): Handled<Target> {
  if (event.kind === "start") return startBranches(context);
  if (event.kind === "cancel") return cancelPending(context, event.cause, []);
  if (event.kind === "silence") return answerWithoutSilent(context);
  const branch = context.branches[event.branch];
  if (branch === undefined) return { context, effects: [] };
  // A phone that never received the INVITE cannot answer the CANCEL with 487: this node does it for the phone
  if (event.kind === "failure")
    return final(context, event.branch, branch.cancelCause !== undefined ? 487 : event.status, undefined);
  const { response } = event;
  if (response.status < 200) return provisional(context, event.branch, branch, response);
  return final(context, event.branch, response.status, response);
}

// §16.6: parallel forking starts all branches at the same time. Serial forking would start the next one in `conclude`
const startBranches = <T>(context: ResponseContext<T>): Handled<T> => ({
  context,
  effects: context.branches.map((_, branch) => ({ kind: "start", branch })),
});

// §16.7 steps 1 to 5 for 1xx: a 100 is not forwarded (`core/branches.ts` restarts Timer C)
function provisional<T>(
  context: ResponseContext<T>,
  at: number,
  branch: ContextBranch<T>,
  response: Response,
): Handled<T> {
  if (branch.state === "final") return { context, effects: [] };
  const effects: Effect[] = [];
  if (branch.state === "pending" && branch.cancelCause !== undefined)
    effects.push({ kind: "cancel", branch: at, cause: branch.cancelCause });
  if (response.status > 100 && !context.hasAnswered)
    effects.push({ kind: "forward", response, status: response.status, also: [] });
  return { context: withBranch(context, at, { ...branch, state: "proceeding" }), effects };
}

function final<T>(
  context: ResponseContext<T>,
  at: number,
  status: number,
  response: Response | undefined,
): Handled<T> {
  const branch = context.branches[at];
  if (branch === undefined) return { context, effects: [] };
  const isSuccess = status < 300 && response !== undefined;
  if (branch.state === "final" && !isSuccess) return { context, effects: [] };
  const kept = isSuccess ? undefined : response; // it is forwarded now
  const after = withBranch(context, at, { ...branch, state: "final", status, response: kept });
  // Every 2xx to INVITE is forwarded, also a second one; of other methods the first (step 5)
  if (isSuccess) {
    if (!context.isInvite && context.hasAnswered) return { context: after, effects: [] };
    return cancelPending({ ...after, hasAnswered: true }, { kind: "answered-elsewhere" }, [
      { kind: "forward", response, status, also: [] },
    ]);
  }
  if (status >= 600 && !context.hasAnswered) {
    const cancelled = cancelPending(after, { kind: "refused-elsewhere", status }, []);
    return conclude(cancelled.context, cancelled.effects);
  }
  return conclude(after, []);
}

// Step 6: all branches are final and no final response was forwarded
function conclude<T>(context: ResponseContext<T>, effects: readonly Effect[]): Handled<T> {
  if (context.hasAnswered || context.branches.some(({ state }) => state !== "final"))
    return { context, effects };
  const best = bestResponse(context.branches);
  const branches = context.branches.map((branch) => ({ ...branch, response: undefined }));
  const answered = { ...context, branches, hasAnswered: true };
  if (best === undefined) return { context: answered, effects };
  return { context: answered, effects: [...effects, answer(context, best)] };
}

/**
 * Whether only silent branches hold the answer: a phone has refused or the caller has cancelled, and each branch that is not final never
 * answered, or did not answer since its CANCEL (ADR 29).
 */
export const isHeldBySilence = <T>({ hasAnswered, branches }: ResponseContext<T>): boolean =>
  !hasAnswered &&
  branches.some(({ response, cancelCause }) => response !== undefined || cancelCause !== undefined) &&
  branches.every(({ state, cancelCause }) => state !== "proceeding" || cancelCause !== undefined);

/** Silent branches stay: the first provisional response of one triggers its CANCEL, and its 2xx is still forwarded. */
function answerWithoutSilent<T>(context: ResponseContext<T>): Handled<T> {
  if (!isHeldBySilence(context)) return { context, effects: [] };
  const known = context.branches.flatMap((branch) => {
    if (branch.state === "final") return [branch];
    return branch.cancelCause === undefined ? [] : [{ ...branch, status: 487 }];
  });
  const best = bestResponse(known);
  const effects = best === undefined ? [] : [answer(context, best)];
  return cancelPending({ ...context, hasAnswered: true }, { kind: "silent" }, effects);
}

function answer<T>(context: ResponseContext<T>, best: ContextBranch<T>): Effect {
  const { status, response } = best;
  if (status === 408 && !context.isInvite) return { kind: "drop" };
  // A 503 would make the caller avoid the only address it knows (step 6, §21.5.4)
  if (status === 503) return { kind: "reply", status: 500 };
  if (response === undefined) return { kind: "reply", status };
  const also = status === 401 || status === 407 ? challenges(context, response) : [];
  return { kind: "forward", response, status, also };
}

/** The challenges of the other branches, which go into the best response (step 7). */
const challenges = <T>(context: ResponseContext<T>, best: Response): Response[] =>
  context.branches.flatMap(({ response }) =>
    response !== undefined && response !== best && (response.status === 401 || response.status === 407)
      ? [response]
      : [],
  );

// Step 10, §16.10: only INVITE is cancelled; the CANCEL of a branch waits for its first provisional response (§9.1)
function cancelPending<T>(
  context: ResponseContext<T>,
  cause: CancelCause,
  before: readonly Effect[],
): Handled<T> {
  if (!context.isInvite) return { context, effects: before };
  const effects: Effect[] = [...before];
  const branches = context.branches.map((branch, at) => {
    if (branch.state === "final" || branch.cancelCause !== undefined) return branch;
    if (branch.state === "proceeding") effects.push({ kind: "cancel", branch: at, cause });
    return { ...branch, cancelCause: cause };
  });
  return { context: { ...context, branches }, effects };
}

const withBranch = <T>(
  context: ResponseContext<T>,
  at: number,
  branch: ContextBranch<T>,
): ResponseContext<T> => ({
  ...context,
  branches: context.branches.map((other, i) => (i === at ? branch : other)),
});
