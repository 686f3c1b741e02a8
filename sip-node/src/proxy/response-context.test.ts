/** The effects of each event of a forwarded request (RFC 3261 §16.7 to §16.10, §9.1; RFC 4320). */
import { describe, expect, it } from "vitest";
import { responseOf } from "../../../test/support/sip-message.ts";
import type { Response } from "../wire/message.ts";
import { reasonLines } from "./cancel-reason.ts";
import {
  handleEvent,
  type Effect,
  type Event,
  isHeldBySilence,
  type ResponseContext,
  responseContext,
} from "./response-context.ts";

const response = (status: number): Response => responseOf(status);
const received = (branch: number, status: number): Event => ({
  kind: "response",
  branch,
  response: response(status),
});
const failure = (branch: number, status: number): Event => ({ kind: "failure", branch, status });
const silence: Event = { kind: "silence" };
const cancel: Event = { kind: "cancel", cause: { kind: "caller", reasons: "" } };

/** The effects of each event in order, in short form: "forward 180", "cancel 1", "reply 408", "drop". */
function run(branches: number, events: readonly Event[], isInvite = true): string[][] {
  let context: ResponseContext<number> = responseContext(isInvite, [...Array(branches).keys()]);
  return events.map((event) => {
    const next = handleEvent(context, event);
    context = next.context;
    return next.effects.map(inShort);
  });
}

function inShort(effect: Effect): string {
  switch (effect.kind) {
    case "forward":
      return `forward ${effect.status}${effect.also.length > 0 ? ` and ${effect.also.length} challenge` : ""}`;
    case "reply":
      return `reply ${effect.status}`;
    case "start":
      return `start ${effect.branch}`;
    case "cancel":
      return `cancel ${effect.branch}`;
    case "drop":
      return "drop";
  }
}

it("§16.6: all branches start at the same time", () => {
  expect(run(3, [{ kind: "start" }])).toEqual([["start 0", "start 1", "start 2"]]);
});

describe("with one branch", () => {
  it("§16.7 step 5: a 100 is not forwarded, other provisional responses are", () => {
    expect(run(1, [received(0, 100), received(0, 180), received(0, 183)])).toEqual([
      [],
      ["forward 180"],
      ["forward 183"],
    ]);
  });

  it.each([200, 202, 302, 404, 486, 500, 603])("a final %i is forwarded", (status) => {
    expect(run(1, [received(0, 180), received(0, status)])).toEqual([["forward 180"], [`forward ${status}`]]);
  });

  it("§16.8: an INVITE without a final response gets a 408", () =>
    expect(run(1, [failure(0, 408)])).toEqual([["reply 408"]]));

  it("RFC 4320 §4.2: a request that is not an INVITE is dropped after a 408 of ours or of the phone", () => {
    expect(run(1, [failure(0, 408)], false)).toEqual([["drop"]]);
    expect(run(1, [received(0, 408)], false)).toEqual([["drop"]]);
  });

  it("§16.7 step 6: a 503 of ours or of the phone becomes a 500", () => {
    expect(run(1, [received(0, 503)])).toEqual([["reply 500"]]);
    expect(run(1, [failure(0, 503)])).toEqual([["reply 500"]]);
  });

  it("a second 2xx to an INVITE is forwarded, a second 2xx to another method is not", () => {
    expect(run(1, [received(0, 200), received(0, 200)])).toEqual([["forward 200"], ["forward 200"]]);
    expect(run(1, [received(0, 200), received(0, 200)], false)).toEqual([["forward 200"], []]);
  });

  it("nothing is forwarded after a final response", () => {
    expect(run(1, [received(0, 486), received(0, 486), failure(0, 408), received(0, 180), cancel])).toEqual([
      ["forward 486"],
      [],
      [],
      [],
      [],
    ]);
  });

  it("a branch that does not exist changes nothing", () => {
    expect(run(1, [received(7, 200), failure(7, 408)])).toEqual([[], []]);
  });
});

describe("§9.1, §16.10: the CANCEL of the caller", () => {
  it("is sent at once to a ringing branch, and the 487 of the branch is forwarded", () => {
    expect(run(1, [received(0, 180), cancel, received(0, 487)])).toEqual([
      ["forward 180"],
      ["cancel 0"],
      ["forward 487"],
    ]);
  });

  it("waits for the first provisional response, also for a 100", () => {
    expect(run(1, [cancel, received(0, 100), received(0, 180), received(0, 487)])).toEqual([
      [],
      ["cancel 0"],
      ["forward 180"],
      ["forward 487"],
    ]);
  });

  it("is sent once when it is received twice", () =>
    expect(run(1, [received(0, 180), cancel, cancel])).toEqual([["forward 180"], ["cancel 0"], []]));

  it("does not stop a 2xx that crosses with it: the 2xx is forwarded", () => {
    expect(run(1, [received(0, 180), cancel, received(0, 200)])[2]).toEqual(["forward 200"]);
  });

  it("causes a 487 instead of a 408 or 480 when the phone never answers", () => {
    expect(run(1, [cancel, failure(0, 480)])).toEqual([[], ["reply 487"]]);
    expect(run(2, [received(0, 180), cancel, failure(0, 408), failure(1, 408)])[3]).toEqual(["reply 487"]);
  });

  it("has no effect for a request that is not an INVITE", () =>
    expect(run(1, [received(0, 180), cancel], false)).toEqual([["forward 180"], []]));
});

describe("with several branches", () => {
  it("the first 2xx is forwarded at once and the other branches are cancelled, each after its first provisional response", () => {
    const events = [received(0, 180), received(1, 200), received(2, 180), received(0, 487), received(2, 487)];
    expect(run(3, events)).toEqual([["forward 180"], ["forward 200", "cancel 0"], ["cancel 2"], [], []]);
  });

  it("§16.7 step 5: a 2xx of another branch is forwarded too", () => {
    expect(run(2, [received(0, 200), received(1, 200)])).toEqual([["forward 200"], ["forward 200"]]);
  });

  it("a provisional response after the 2xx is not forwarded", () => {
    expect(run(2, [received(0, 200), received(1, 183)])[1]).toEqual(["cancel 1"]);
  });

  it("§16.7 step 6: the best response is sent when all branches are final, and not before", () => {
    expect(run(3, [received(0, 486), failure(1, 408), received(2, 404)])).toEqual([[], [], ["forward 404"]]);
    expect(run(2, [failure(0, 480), received(1, 486)])).toEqual([[], ["reply 480"]]);
  });

  it("§16.7 step 5: a 6xx cancels the other branches at once and is forwarded when they are final", () => {
    const events = [received(1, 180), received(0, 603), received(1, 487)];
    expect(run(2, events)).toEqual([["forward 180"], ["cancel 1"], ["forward 603"]]);
  });

  it("a 2xx that crosses with the CANCEL after a 6xx is forwarded, and the 6xx is not", () => {
    expect(run(2, [received(1, 180), received(0, 603), received(1, 200)])).toEqual([
      ["forward 180"],
      ["cancel 1"],
      ["forward 200"],
    ]);
  });

  it("the first of two 6xx is forwarded", () =>
    expect(run(2, [received(0, 603), received(1, 604)])).toEqual([[], ["forward 603"]]));

  it("§16.7 step 7: the challenges of all branches are forwarded with the best response", () => {
    expect(run(3, [received(0, 401), received(1, 407), received(2, 486)])).toEqual([
      [],
      [],
      ["forward 401 and 1 challenge"],
    ]);
  });

  it("a 408 is not the best of several responses to a request that is not an INVITE", () => {
    expect(run(2, [failure(0, 408), received(1, 404)], false)).toEqual([[], ["forward 404"]]);
  });
});

describe("§16.7 step 6: after the time limit for silent branches (ADR 29)", () => {
  it.each([486, 603, 404])("a %i is forwarded without the response of the silent branch", (status) => {
    expect(run(3, [received(0, status), received(2, 487), silence])[2]).toEqual([`forward ${status}`]);
  });

  it("the best of several responses is forwarded", () => {
    expect(run(3, [received(0, 503), received(1, 486), silence])[2]).toEqual(["forward 486"]);
    expect(run(4, [received(0, 486), received(1, 603), received(2, 404), silence])[3]).toEqual([
      "forward 603",
    ]);
  });

  it("a caller that cancelled gets a 487 when no branch has responded, and the status of a branch that failed before", () => {
    expect(run(2, [cancel, silence])).toEqual([[], ["reply 487"]]);
    expect(run(2, [received(0, 180), cancel, received(0, 487), silence])[3]).toEqual(["forward 487"]);
    expect(run(2, [failure(0, 480), cancel, silence])[2]).toEqual(["reply 480"]);
  });

  it("a branch that rang and sent nothing after its CANCEL counts as silent", () => {
    expect(run(2, [received(0, 180), received(1, 603), silence])).toEqual([
      ["forward 180"],
      ["cancel 0"],
      ["forward 603"],
    ]);
  });

  it("no response is sent while a branch rings or no phone has responded", () => {
    expect(run(3, [received(0, 486), received(1, 180), silence])[2]).toEqual([]);
    expect(run(2, [failure(0, 480), silence])[1]).toEqual([]);
    expect(run(2, [silence])).toEqual([[]]);
  });

  it("a second time limit has no effect after a final response", () => {
    expect(run(2, [received(0, 486), silence, silence, failure(1, 408)])).toEqual([
      [],
      ["forward 486"],
      [],
      [],
    ]);
    expect(run(2, [received(0, 200), silence])[1]).toEqual([]);
  });

  it("a silent branch is cancelled at its first provisional response, and only a 2xx of it is forwarded", () => {
    expect(run(2, [received(0, 486), silence, received(1, 180), received(1, 487)])).toEqual([
      [],
      ["forward 486"],
      ["cancel 1"],
      [],
    ]);
    expect(run(2, [received(0, 486), silence, received(1, 200)])[2]).toEqual(["forward 200"]);
  });

  it("the response to a request that is not an INVITE is forwarded too, and its late 2xx is not", () => {
    expect(run(2, [received(0, 404), silence, received(1, 200)], false)).toEqual([[], ["forward 404"], []]);
  });

  it("isHeldBySilence returns true only while silent branches delay a known final response", () => {
    const isHeld = (branches: number, events: readonly Event[]): boolean => {
      let context: ResponseContext<number> = responseContext(true, [...Array(branches).keys()]);
      for (const event of events) context = handleEvent(context, event).context;
      return isHeldBySilence(context);
    };
    expect(isHeld(2, [])).toBe(false);
    expect(isHeld(2, [received(0, 486)])).toBe(true);
    expect(isHeld(2, [received(0, 486), received(1, 100)])).toBe(false);
    expect(isHeld(2, [received(0, 486), received(1, 486)])).toBe(false);
    expect(isHeld(2, [failure(0, 480)])).toBe(false);
    expect(isHeld(1, [cancel])).toBe(true);
  });
});

describe("RFC 3326: the Reason of a CANCEL", () => {
  const linesOf = (branches: number, events: readonly Event[]): string[] => {
    let context: ResponseContext<number> = responseContext(true, [...Array(branches).keys()]);
    return events.flatMap((event) => {
      const next = handleEvent(context, event);
      context = next.context;
      return next.effects.flatMap((effect) => (effect.kind === "cancel" ? [reasonLines(effect.cause)] : []));
    });
  };
  const completedElsewhere = 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n';

  it('is "Call completed elsewhere" for the other branches of a fork, also when it is sent after a later provisional response', () => {
    expect(linesOf(3, [received(0, 180), received(1, 200), received(2, 180)])).toEqual([
      completedElsewhere,
      completedElsewhere,
    ]);
  });

  it("is the 6xx of another branch when that response ended the call", () => {
    expect(linesOf(2, [received(0, 180), received(1, 603)])).toEqual(["Reason: SIP;cause=603\r\n"]);
  });

  it("is only the Reason of the caller, also for a branch without a response so far", () => {
    const callerCancel: Event = {
      kind: "cancel",
      cause: { kind: "caller", reasons: "Reason: Q.850;cause=16\r\n" },
    };
    expect(linesOf(2, [received(0, 180), callerCancel, received(1, 180), received(0, 200)])).toEqual([
      "Reason: Q.850;cause=16\r\n",
      "Reason: Q.850;cause=16\r\n",
    ]);
  });
});

it("every sequence of three events has at most one final response other than 2xx and one CANCEL for each branch", () => {
  const statuses = [100, 180, 200, 302, 401, 408, 486, 487, 503, 603];
  const events: Event[] = [
    cancel,
    silence,
    ...[0, 1].flatMap((branch) => [
      ...statuses.map((status) => received(branch, status)),
      failure(branch, 408),
      failure(branch, 503),
    ]),
  ];
  for (const first of events)
    for (const second of events)
      for (const third of events)
        for (const isInvite of [true, false]) {
          const effects = run(2, [first, second, third], isInvite).flat();
          const finals = effects.filter((effect) => /^(forward|reply) [3-6]|give-up/.test(effect));
          expect(finals.length, JSON.stringify([first, second, third])).toBeLessThanOrEqual(1);
          expect(new Set(effects.filter((effect) => effect.startsWith("cancel"))).size).toBe(
            effects.filter((effect) => effect.startsWith("cancel")).length,
          );
        }
});
