/** What waits while a statement runs goes with the next one. */
import { describe, expect, it } from "vitest";
import { Coalescer, QueueFull } from "./coalescer.ts";
import { StoreUnavailable } from "./location-store.ts";

/** Batches as they were run; each ends when its `end` is called. */
function harness(bounds = { maxBatch: 3, maxRunning: 1, maxQueue: 5 }) {
  const deferred: (() => void)[] = [];
  const batches: { readonly items: readonly number[]; end(fail?: Error): void }[] = [];
  const coalescer = new Coalescer<number, string>(
    (items) =>
      new Promise((resolve, reject) => {
        const answers = items.map((item) => `answer ${item}`);
        batches.push({ items, end: (fail) => (fail === undefined ? resolve(answers) : reject(fail)) });
      }),
    (act) => void deferred.push(act),
    bounds,
  );
  const turn = async (): Promise<void> => {
    for (const act of deferred.splice(0)) act();
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return { coalescer, batches, turn, items: () => batches.map(({ items }) => items) };
}

describe("Coalescer", () => {
  it("what arrives in one turn of the event loop is one batch, and each gets its own answer", async () => {
    const { coalescer, batches, turn, items } = harness();
    const asked = Promise.all([coalescer.ask(1), coalescer.ask(2)]);
    expect(items()).toEqual([]);
    await turn();
    expect(items()).toEqual([[1, 2]]);
    batches[0]?.end();
    expect(await asked).toEqual(["answer 1", "answer 2"]);
  });

  it("what arrives while one runs waits for its end and goes together, at most maxBatch at once", async () => {
    const { coalescer, batches, turn, items } = harness();
    void coalescer.ask(1);
    await turn();
    for (const item of [2, 3, 4, 5]) void coalescer.ask(item);
    await turn();
    expect(items()).toEqual([[1]]);
    batches[0]?.end();
    await turn();
    expect(items()).toEqual([[1], [2, 3, 4]]);
    batches[1]?.end();
    await turn();
    expect(items()).toEqual([[1], [2, 3, 4], [5]]);
  });

  it("as many run beside each other as allowed", async () => {
    const { coalescer, turn, items } = harness({ maxBatch: 1, maxRunning: 2, maxQueue: 9 });
    for (const item of [1, 2, 3]) void coalescer.ask(item);
    await turn();
    expect(items()).toEqual([[1], [2]]);
  });

  it("a lone question while one of two may run does not wait", async () => {
    const { coalescer, turn, items } = harness({ maxBatch: 9, maxRunning: 2, maxQueue: 9 });
    void coalescer.ask(1);
    await turn();
    void coalescer.ask(2);
    await turn();
    expect(items()).toEqual([[1], [2]]);
  });

  it("a batch that fails is asked again in halves: only what is refused alone fails", async () => {
    const asked: (readonly number[])[] = [];
    const bad = new Set([3, 4]);
    const coalescer = new Coalescer<number, string>(
      async (items) => {
        asked.push(items);
        if (items.some((item) => bad.has(item))) throw new Error(`refused ${items.join(" ")}`);
        return items.map((item) => `answer ${item}`);
      },
      queueMicrotask,
      { maxBatch: 5, maxRunning: 1, maxQueue: 9 },
    );
    const answers = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((item) => coalescer.ask(item)));
    expect(answers.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)))).toEqual([
      "answer 1",
      "answer 2",
      "Error: refused 3",
      "Error: refused 4",
      "answer 5",
      "answer 6",
    ]);
    expect(asked).toEqual([[1, 2, 3, 4, 5], [1, 2, 3], [1, 2], [3], [4, 5], [4], [5], [6]]);
  });

  it("a failure is that of its batch alone, and the next one runs", async () => {
    const { coalescer, batches, turn } = harness();
    const first = expect(coalescer.ask(1)).rejects.toThrow("away");
    await turn();
    const second = coalescer.ask(2);
    batches[0]?.end(new Error("away"));
    await first;
    await turn();
    batches[1]?.end();
    expect(await second).toBe("answer 2");
  });

  it("who waits behind a batch that met no database hears so at once, not a batch after the other", async () => {
    const { coalescer, batches, turn, items } = harness({ maxBatch: 1, maxRunning: 1, maxQueue: 9 });
    const asked = [1, 2, 3].map((item) => expect(coalescer.ask(item)).rejects.toThrow(StoreUnavailable));
    await turn();
    batches[0]?.end(new StoreUnavailable("MySQL", undefined));
    await Promise.all(asked);
    expect(items()).toEqual([[1]]);
    const later = coalescer.ask(4);
    await turn();
    batches[1]?.end();
    expect(await later).toBe("answer 4");
  });

  it("beyond the bound it refuses at once, and takes again when there is room", async () => {
    const { coalescer, batches, turn, items } = harness();
    void coalescer.ask(0);
    await turn();
    for (const item of [1, 2, 3, 4, 5]) void coalescer.ask(item);
    await expect(coalescer.ask(6)).rejects.toThrow(QueueFull);
    batches[0]?.end();
    await turn();
    void coalescer.ask(7);
    expect(items()).toEqual([[0], [1, 2, 3]]);
  });
});
