import { describe, expect, it } from "vitest";
import { Timer, TimerWheel } from "./timer-wheel.ts";

const record = () => {
  const fired: [string, number][] = [];
  const wheel = new TimerWheel<string, string>((timer, now) => void fired.push([timer.owner, now]), 0);
  return { fired, wheel };
};

describe("TimerWheel", () => {
  it("fires a timer at the first advance at or after its deadline and never before it", () => {
    const { fired, wheel } = record();
    wheel.start(new Timer("a", ""), "x", 500, 3);
    wheel.advance(502);
    expect(fired).toEqual([]);
    wheel.advance(510);
    expect(fired).toEqual([["a", 510]]);
    wheel.advance(60_000);
    expect(fired).toHaveLength(1);
  });

  it("fires timers in the order of their deadlines within one advance", () => {
    const { fired, wheel } = record();
    for (const length of [300, 100, 200]) wheel.start(new Timer(String(length), ""), "x", length, 0);
    wheel.advance(1000);
    expect(fired.map(([owner]) => owner)).toEqual(["100", "200", "300"]);
  });

  it("fires a timer that is longer than one turn at its deadline only", () => {
    const { fired, wheel } = record();
    wheel.start(new Timer("long", ""), "x", 100_000, 0);
    for (let now = 0; now < 100_000; now += 50) wheel.advance(now);
    expect(fired).toEqual([]);
    wheel.advance(100_000);
    expect(fired).toEqual([["long", 100_000]]);
  });

  it("does not fire a stopped timer, and fires a restarted timer once at its new deadline", () => {
    const { fired, wheel } = record();
    const stopped = new Timer("stopped", "");
    const restarted = new Timer("restarted", "");
    wheel.start(stopped, "x", 100, 0);
    wheel.start(restarted, "x", 100, 0);
    wheel.stop(stopped);
    wheel.stop(stopped);
    wheel.start(restarted, "x", 200, 0);
    expect(wheel.size).toBe(1);
    wheel.advance(150);
    expect(fired).toEqual([]);
    wheel.advance(1000);
    expect(fired).toEqual([["restarted", 1000]]);
    expect(wheel.size).toBe(0);
  });

  it("lets a firing timer stop another timer that is due in the same advance", () => {
    const second = new Timer<string, string>("second", "");
    const fired: string[] = [];
    const wheel = new TimerWheel<string, string>((timer) => {
      fired.push(timer.owner);
      wheel.stop(second);
    }, 0);
    wheel.start(new Timer("first", ""), "x", 100, 0);
    wheel.start(second, "x", 100, 0);
    wheel.advance(100);
    expect(fired).toEqual(["first"]);
    expect(wheel.size).toBe(0);
  });

  it("fires a timer that restarts itself with length 0 at the next tick, without a loop", () => {
    let fired = 0;
    const wheel = new TimerWheel<string, string>((timer, now) => {
      fired++;
      wheel.start(timer, "x", 0, now);
    }, 0);
    wheel.start(new Timer("a", ""), "x", 0, 0);
    wheel.advance(10);
    expect(fired).toBe(1);
    wheel.advance(20);
    expect(fired).toBe(2);
  });

  it("fires no timer twice when the clock stands still or goes back", () => {
    const { fired, wheel } = record();
    wheel.start(new Timer("a", ""), "x", 100, 0);
    wheel.advance(100);
    wheel.advance(50);
    wheel.start(new Timer("b", ""), "x", 10, 50);
    wheel.advance(100);
    expect(fired).toEqual([["a", 100]]);
    wheel.advance(110);
    expect(fired).toEqual([
      ["a", 100],
      ["b", 110],
    ]); // prettier-ignore
  });

  it("fires 50 000 running timers once and on time while 50 000 others are stopped", () => {
    let now = 0;
    let fired = 0;
    let worst = 0;
    const wheel = new TimerWheel<number, string>((timer, at) => {
      fired++;
      worst = Math.max(worst, at - timer.owner);
      expect(at).toBeGreaterThanOrEqual(timer.owner);
    }, 0);
    const timers: Timer<number, string>[] = [];
    for (let i = 0; i < 100_000; i++) {
      const length = (i * 7919) % 64_000;
      const timer = new Timer<number, string>(length, "");
      wheel.start(timer, "x", length, 0);
      timers.push(timer);
    }
    for (let i = 0; i < timers.length; i += 2) wheel.stop(timers[i]!);
    expect(wheel.size).toBe(50_000);
    while (now < 64_020) wheel.advance((now += 20));
    expect(fired).toBe(50_000);
    expect(worst).toBeLessThanOrEqual(20);
    expect(wheel.size).toBe(0);
  });
});
