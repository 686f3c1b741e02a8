/** Items that arrive while a statement runs are in the next one. */
import { describe, expect, it } from "vitest";
import { Coalescer, type CoalescerLimits, QueueFull } from "./coalescer.ts";
import { StoreUnavailable } from "./location-store.ts";

/** A coalescer whose batches end when `end` is called. `pass` moves the time. */
function start(limits: CoalescerLimits = { maxBatch: 3, maxRunning: 1, maxQueue: 5 }) {
  const deferred: (() => void)[] = [];
  const delayed: { readonly at: number; act(): void }[] = [];
  let now = 1_000;
  const batches: { readonly items: readonly number[]; end(fail?: Error): void }[] = [];
  const coalescer = new Coalescer<number, string>(
    {
      run: (items) =>
        new Promise((resolve, reject) => {
          const answers = items.map((item) => `answer ${item}`);
          batches.push({ items, end: (fail) => (fail === undefined ? resolve(answers) : reject(fail)) });
        }),
      defer: (act, delay) => void (delay > 0 ? delayed.push({ at: now + delay, act }) : deferred.push(act)),
      now: () => now,
    },
    limits,
  );
  const turn = async (): Promise<void> => {
    for (const act of deferred.splice(0)) act();
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  const pass = (time: number): Promise<void> => {
    now += time;
    for (const due of delayed.filter(({ at }) => at > now - time && at <= now)) due.act();
    return turn();
  };
  return { coalescer, batches, turn, pass, items: () => batches.map(({ items }) => items) };
}

describe("Coalescer", () => {
  it("all items of one turn of the event loop are one batch, and each gets its own answer", async () => {
    const { coalescer, batches, turn, items } = start();
    const answers = Promise.all([coalescer.add(1), coalescer.add(2)]);
    expect(items()).toEqual([]);
    await turn();
    expect(items()).toEqual([[1, 2]]);
    batches[0]?.end();
    expect(await answers).toEqual(["answer 1", "answer 2"]);
  });

  it("items that arrive while a batch runs are the next batch, at most maxBatch of them", async () => {
    const { coalescer, batches, turn, items } = start();
    void coalescer.add(1);
    await turn();
    for (const item of [2, 3, 4, 5]) void coalescer.add(item);
    await turn();
    expect(items()).toEqual([[1]]);
    batches[0]?.end();
    await turn();
    expect(items()).toEqual([[1], [2, 3, 4]]);
    batches[1]?.end();
    await turn();
    expect(items()).toEqual([[1], [2, 3, 4], [5]]);
  });

  it("at most maxRunning batches run at the same time", async () => {
    const { coalescer, turn, items } = start({ maxBatch: 1, maxRunning: 2, maxQueue: 9 });
    for (const item of [1, 2, 3]) void coalescer.add(item);
    await turn();
    expect(items()).toEqual([[1], [2]]);
  });

  it("an item does not wait while another batch may run", async () => {
    const { coalescer, turn, items } = start({ maxBatch: 9, maxRunning: 2, maxQueue: 9 });
    void coalescer.add(1);
    await turn();
    void coalescer.add(2);
    await turn();
    expect(items()).toEqual([[1], [2]]);
  });

  describe("with an interval", () => {
    const limits = { maxBatch: 3, maxRunning: 1, maxQueue: 9, interval: 8 };

    it("the first item does not wait; the next batch begins 8 ms after the begin of the last one", async () => {
      const { coalescer, batches, turn, pass, items } = start(limits);
      void coalescer.add(1);
      await turn();
      batches[0]?.end();
      await pass(2);
      void coalescer.add(2);
      await turn();
      await pass(5);
      void coalescer.add(3);
      await turn();
      expect(items()).toEqual([[1]]);
      await pass(1);
      expect(items()).toEqual([[1], [2, 3]]);
    });

    it("a batch that takes longer is followed at once by what arrived in it", async () => {
      const { coalescer, batches, turn, pass, items } = start(limits);
      void coalescer.add(1);
      await turn();
      void coalescer.add(2);
      await pass(9);
      batches[0]?.end();
      await turn();
      expect(items()).toEqual([[1], [2]]);
    });

    it("what arrived in a batch waits for the rest of the interval", async () => {
      const { coalescer, batches, turn, pass, items } = start(limits);
      void coalescer.add(1);
      await turn();
      void coalescer.add(2);
      await pass(3);
      batches[0]?.end();
      await turn();
      await pass(4);
      expect(items()).toEqual([[1]]);
      await pass(1);
      expect(items()).toEqual([[1], [2]]);
    });

    it("a full batch does not wait, and the end of the wait starts no batch while one runs", async () => {
      const { coalescer, batches, turn, pass, items } = start(limits);
      void coalescer.add(1);
      await turn();
      batches[0]?.end();
      await turn();
      for (const item of [2, 3]) void coalescer.add(item);
      await turn();
      expect(items()).toEqual([[1]]);
      void coalescer.add(4);
      await turn();
      expect(items()).toEqual([[1], [2, 3, 4]]);
      void coalescer.add(5);
      await pass(8);
      expect(items()).toEqual([[1], [2, 3, 4]]);
      batches[1]?.end();
      await turn();
      expect(items()).toEqual([[1], [2, 3, 4], [5]]);
    });
  });

  it("a batch that fails is run again in halves: only the refused items fail", async () => {
    const batches: (readonly number[])[] = [];
    const bad = new Set([3, 4]);
    const coalescer = new Coalescer<number, string>(
      {
        run: async (items) => {
          batches.push(items);
          if (items.some((item) => bad.has(item))) throw new Error(`refused ${items.join(" ")}`);
          return items.map((item) => `answer ${item}`);
        },
        defer: queueMicrotask,
        now: () => 0,
      },
      { maxBatch: 5, maxRunning: 1, maxQueue: 9 },
    );
    const answers = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((item) => coalescer.add(item)));
    expect(answers.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)))).toEqual([
      "answer 1",
      "answer 2",
      "Error: refused 3",
      "Error: refused 4",
      "answer 5",
      "answer 6",
    ]);
    expect(batches).toEqual([[1, 2, 3, 4, 5], [1, 2, 3], [1, 2], [3], [4, 5], [4], [5], [6]]);
  });

  it("a failure does not affect the next batch", async () => {
    const { coalescer, batches, turn } = start();
    const first = expect(coalescer.add(1)).rejects.toThrow("away");
    await turn();
    const second = coalescer.add(2);
    batches[0]?.end(new Error("away"));
    await first;
    await turn();
    batches[1]?.end();
    expect(await second).toBe("answer 2");
  });

  it("when the database is unavailable, the whole queue is rejected at once", async () => {
    const { coalescer, batches, turn, items } = start({ maxBatch: 1, maxRunning: 1, maxQueue: 9 });
    const answers = [1, 2, 3].map((item) => expect(coalescer.add(item)).rejects.toThrow(StoreUnavailable));
    await turn();
    batches[0]?.end(new StoreUnavailable("MySQL", undefined));
    await Promise.all(answers);
    expect(items()).toEqual([[1]]);
    const later = coalescer.add(4);
    await turn();
    batches[1]?.end();
    expect(await later).toBe("answer 4");
  });

  it("a full queue refuses at once, and accepts again when it is shorter", async () => {
    const { coalescer, batches, turn, items } = start();
    void coalescer.add(0);
    await turn();
    for (const item of [1, 2, 3, 4, 5]) void coalescer.add(item);
    await expect(coalescer.add(6)).rejects.toThrow(QueueFull);
    batches[0]?.end();
    await turn();
    void coalescer.add(7);
    expect(items()).toEqual([[0], [1, 2, 3]]);
  });
});
