/** What goes up and down when (RFC 3261 §16.7 to §16.10, §9.1; RFC 4320). */
import { describe, expect, it } from "vitest";
import { responseOf } from "../../../test/support/sip-message.ts";
import type { Response } from "../wire/message.ts";
import { reasonLines } from "./cancel-reason.ts";
import {
  advance,
  type Effect,
  type Event,
  isHeldBySilence,
  type ResponseContext,
  responseContext,
} from "./response-context.ts";

const response = (status: number): Response => responseOf(status);
const from = (branch: number, status: number): Event => ({
  kind: "response",
  branch,
  response: response(status),
});
const failure = (branch: number, status: number): Event => ({ kind: "failure", branch, status });
const silence: Event = { kind: "silence" };
const cancel: Event = { kind: "cancel", cause: { kind: "caller", reasons: "" } };

/** The effects of each event in turn, in short: "up 180", "cancel 1", "reply 408", "drop". */
function run(branches: number, events: readonly Event[], isInvite = true): string[][] {
  let context: ResponseContext<number> = responseContext(isInvite, [...Array(branches).keys()]);
  return events.map((event) => {
    const next = advance(context, event);
    context = next.context;
    return next.effects.map(inShort);
  });
}

function inShort(effect: Effect): string {
  switch (effect.kind) {
    case "forward":
      return `up ${effect.status}${effect.also.length > 0 ? ` and ${effect.also.length} challenge` : ""}`;
    case "reply":
      return `reply ${effect.status}`;
    case "cancel":
      return `cancel ${effect.branch}`;
    case "drop":
      return "drop";
  }
}

describe("one branch", () => {
  it("step 5: 100 stays here, every other provisional goes up", () => {
    expect(run(1, [from(0, 100), from(0, 180), from(0, 183)])).toEqual([[], ["up 180"], ["up 183"]]);
  });

  it.each([200, 202, 302, 404, 486, 500, 603])("a final %i goes up", (status) => {
    expect(run(1, [from(0, 180), from(0, status)])).toEqual([["up 180"], [`up ${status}`]]);
  });

  it("§16.8: no answer is 408 to an INVITE", () =>
    expect(run(1, [failure(0, 408)])).toEqual([["reply 408"]]));

  it("RFC 4320 §4.2: 408 to any other request is dropped without an answer, our own and the phone's", () => {
    expect(run(1, [failure(0, 408)], false)).toEqual([["drop"]]);
    expect(run(1, [from(0, 408)], false)).toEqual([["drop"]]);
  });

  it("step 6: 503 goes up as 500, our own too", () => {
    expect(run(1, [from(0, 503)])).toEqual([["reply 500"]]);
    expect(run(1, [failure(0, 503)])).toEqual([["reply 500"]]);
  });

  it("a second 2xx to INVITE goes up as well; a second one to another method does not", () => {
    expect(run(1, [from(0, 200), from(0, 200)])).toEqual([["up 200"], ["up 200"]]);
    expect(run(1, [from(0, 200), from(0, 200)], false)).toEqual([["up 200"], []]);
  });

  it("after a final answer nothing else goes up", () => {
    expect(run(1, [from(0, 486), from(0, 486), failure(0, 408), from(0, 180), cancel])).toEqual([
      ["up 486"],
      [],
      [],
      [],
      [],
    ]);
  });

  it("a branch that does not exist changes nothing", () => {
    expect(run(1, [from(7, 200), failure(7, 408)])).toEqual([[], []]);
  });
});

describe("§9.1, §16.10: CANCEL", () => {
  it("of a branch that rings goes out at once, and its 487 goes up", () => {
    expect(run(1, [from(0, 180), cancel, from(0, 487)])).toEqual([["up 180"], ["cancel 0"], ["up 487"]]);
  });

  it("before any provisional response waits for the first one, also for 100", () => {
    expect(run(1, [cancel, from(0, 100), from(0, 180), from(0, 487)])).toEqual([
      [],
      ["cancel 0"],
      ["up 180"],
      ["up 487"],
    ]);
  });

  it("comes twice and goes out once", () =>
    expect(run(1, [from(0, 180), cancel, cancel])).toEqual([["up 180"], ["cancel 0"], []]));

  it("crossing with a 2xx: the 2xx goes up", () => {
    expect(run(1, [from(0, 180), cancel, from(0, 200)])[2]).toEqual(["up 200"]);
  });

  it("of a phone that never answers: 487 to the caller, who hung up, not 408 or 480", () => {
    expect(run(1, [cancel, failure(0, 480)])).toEqual([[], ["reply 487"]]);
    expect(run(2, [from(0, 180), cancel, failure(0, 408), failure(1, 408)])[3]).toEqual(["reply 487"]);
  });

  it("of a request that is no INVITE does nothing", () =>
    expect(run(1, [from(0, 180), cancel], false)).toEqual([["up 180"], []]));
});

describe("a fork", () => {
  it("the first 2xx goes up at once and the others are cancelled, those without a provisional later", () => {
    const events = [from(0, 180), from(1, 200), from(2, 180), from(0, 487), from(2, 487)];
    expect(run(3, events)).toEqual([["up 180"], ["up 200", "cancel 0"], ["cancel 2"], [], []]);
  });

  it("step 5: a 2xx of another branch goes up as well", () => {
    expect(run(2, [from(0, 200), from(1, 200)])).toEqual([["up 200"], ["up 200"]]);
  });

  it("provisional responses after the 2xx stay here", () => {
    expect(run(2, [from(0, 200), from(1, 183)])[1]).toEqual(["cancel 1"]);
  });

  it("step 6: the best answer goes up when all are final, and not before", () => {
    expect(run(3, [from(0, 486), failure(1, 408), from(2, 404)])).toEqual([[], [], ["up 404"]]);
    expect(run(2, [failure(0, 480), from(1, 486)])).toEqual([[], ["reply 480"]]);
  });

  it("step 5: 6xx cancels the others at once and goes up when they are final", () => {
    const events = [from(1, 180), from(0, 603), from(1, 487)];
    expect(run(2, events)).toEqual([["up 180"], ["cancel 1"], ["up 603"]]);
  });

  it("a 2xx that crosses with the CANCEL of a 6xx still goes up, the 6xx no more", () => {
    expect(run(2, [from(1, 180), from(0, 603), from(1, 200)])).toEqual([
      ["up 180"],
      ["cancel 1"],
      ["up 200"],
    ]);
  });

  it("two 6xx: the first", () => expect(run(2, [from(0, 603), from(1, 604)])).toEqual([[], ["up 603"]]));

  it("step 7: challenges of all branches go up with the best", () => {
    expect(run(3, [from(0, 401), from(1, 407), from(2, 486)])).toEqual([[], [], ["up 401 and 1 challenge"]]);
  });

  it("a 408 among other answers of a request that is no INVITE is not the best", () => {
    expect(run(2, [failure(0, 408), from(1, 404)], false)).toEqual([[], ["up 404"]]);
  });
});

describe("§16.7 step 6: silence does not hold an answer that is known (ADR 29)", () => {
  it.each([486, 603, 404])("a %i goes up without the branch that says nothing", (status) => {
    expect(run(3, [from(0, status), from(2, 487), silence])[2]).toEqual([`up ${status}`]);
  });

  it("of several the best", () => {
    expect(run(3, [from(0, 503), from(1, 486), silence])[2]).toEqual(["up 486"]);
    expect(run(4, [from(0, 486), from(1, 603), from(2, 404), silence])[3]).toEqual(["up 603"]);
  });

  it("a caller who hung up gets 487, also when no branch has said anything, and nothing better of a branch that failed", () => {
    expect(run(2, [cancel, silence])).toEqual([[], ["reply 487"]]);
    expect(run(2, [from(0, 180), cancel, from(0, 487), silence])[3]).toEqual(["up 487"]);
    expect(run(2, [failure(0, 480), cancel, silence])[2]).toEqual(["reply 480"]);
  });

  it("a branch that rang and says nothing since its CANCEL counts as silent", () => {
    expect(run(2, [from(0, 180), from(1, 603), silence])).toEqual([["up 180"], ["cancel 0"], ["up 603"]]);
  });

  it("a branch that rings holds it, so does a fork of which no phone has answered", () => {
    expect(run(3, [from(0, 486), from(1, 180), silence])[2]).toEqual([]);
    expect(run(2, [failure(0, 480), silence])[1]).toEqual([]);
    expect(run(2, [silence])).toEqual([[]]);
  });

  it("comes once: after an answer it changes nothing", () => {
    expect(run(2, [from(0, 486), silence, silence, failure(1, 408)])).toEqual([[], ["up 486"], [], []]);
    expect(run(2, [from(0, 200), silence])[1]).toEqual([]);
  });

  it("a silent branch is cancelled when it says something after all; what it says stays here but for a 2xx", () => {
    expect(run(2, [from(0, 486), silence, from(1, 180), from(1, 487)])).toEqual([
      [],
      ["up 486"],
      ["cancel 1"],
      [],
    ]);
    expect(run(2, [from(0, 486), silence, from(1, 200)])[2]).toEqual(["up 200"]);
  });

  it("of a request that is no INVITE too; a late 2xx stays here", () => {
    expect(run(2, [from(0, 404), silence, from(1, 200)], false)).toEqual([[], ["up 404"], []]);
  });

  it("isHeldBySilence says when it may come", () => {
    const held = (branches: number, events: readonly Event[]): boolean => {
      let context: ResponseContext<number> = responseContext(true, [...Array(branches).keys()]);
      for (const event of events) context = advance(context, event).context;
      return isHeldBySilence(context);
    };
    expect(held(2, [])).toBe(false);
    expect(held(2, [from(0, 486)])).toBe(true);
    expect(held(2, [from(0, 486), from(1, 100)])).toBe(false);
    expect(held(2, [from(0, 486), from(1, 486)])).toBe(false);
    expect(held(2, [failure(0, 480)])).toBe(false);
    expect(held(1, [cancel])).toBe(true);
  });
});

describe("RFC 3326: a CANCEL says why", () => {
  const linesOf = (branches: number, events: readonly Event[]): string[] => {
    let context: ResponseContext<number> = responseContext(true, [...Array(branches).keys()]);
    return events.flatMap((event) => {
      const next = advance(context, event);
      context = next.context;
      return next.effects.flatMap((effect) => (effect.kind === "cancel" ? [reasonLines(effect.cause)] : []));
    });
  };
  const elsewhere = 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n';

  it("the losers of a fork hear that the call is answered elsewhere, those without a provisional later", () => {
    expect(linesOf(3, [from(0, 180), from(1, 200), from(2, 180)])).toEqual([elsewhere, elsewhere]);
  });

  it("a 6xx of another branch is the reason where it ended the call", () => {
    expect(linesOf(2, [from(0, 180), from(1, 603)])).toEqual(["Reason: SIP;cause=603\r\n"]);
  });

  it("the caller's goes on, also to a branch that has said nothing yet, and is the only one", () => {
    const hungUp: Event = {
      kind: "cancel",
      cause: { kind: "caller", reasons: "Reason: Q.850;cause=16\r\n" },
    };
    expect(linesOf(2, [from(0, 180), hungUp, from(1, 180), from(0, 200)])).toEqual([
      "Reason: Q.850;cause=16\r\n",
      "Reason: Q.850;cause=16\r\n",
    ]);
  });
});

it("every event in every state gives effects for known branches, and one final answer at most but for 2xx", () => {
  const statuses = [100, 180, 200, 302, 401, 408, 486, 487, 503, 603];
  const events: Event[] = [
    cancel,
    silence,
    ...[0, 1].flatMap((branch) => [
      ...statuses.map((status) => from(branch, status)),
      failure(branch, 408),
      failure(branch, 503),
    ]),
  ];
  for (const first of events)
    for (const second of events)
      for (const third of events)
        for (const isInvite of [true, false]) {
          const effects = run(2, [first, second, third], isInvite).flat();
          const finals = effects.filter((effect) => /^(up|reply) [3-6]|give-up/.test(effect));
          expect(finals.length, JSON.stringify([first, second, third])).toBeLessThanOrEqual(1);
          expect(new Set(effects.filter((effect) => effect.startsWith("cancel"))).size).toBe(
            effects.filter((effect) => effect.startsWith("cancel")).length,
          );
        }
});
