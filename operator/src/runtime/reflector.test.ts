import { expect, test } from "vitest";
import type { StoreChange } from "./reflected-store.ts";
import { Reflector, type ListWatch, type Page, type WatchEvent } from "./reflector.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";

interface Thing {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
}

const thing = (name: string, version: number, uid = name): Thing => ({
  metadata: { name, uid, resourceVersion: `${version}` },
});

const describeChange = (change: StoreChange<Thing>): string =>
  `${change.is} ${change.is === "removed" ? change.before.metadata.name : change.after.metadata.name}`;

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

/** A watch that the test holds in its hand. */
interface Watch {
  readonly from: string;
  readonly signal: AbortSignal;
  opened(): void;
  send(type: WatchEvent<Thing>["type"], object: unknown): void;
  end(): void;
  fail(cause: Error): void;
}

/** An API server that holds `items` at `version`, and answers as the test says. */
function given(items: readonly Thing[] = [], version = 10) {
  const server = {
    items,
    version: `${version}`,
    fail: undefined as Error | undefined,
    hangs: false,
    forgetsPages: false,
    gate: false,
    open: (): void => undefined,
  };
  const lists: { readonly limit: number; readonly continue?: string }[] = [];
  const watches: Watch[] = [];
  const source: ListWatch<Thing> = {
    list(page): Promise<Page<Thing>> {
      lists.push(page);
      if (server.hangs) return new Promise(() => undefined);
      if (server.fail !== undefined) return Promise.reject(server.fail);
      if (server.forgetsPages && page.continue !== undefined) return Promise.reject(failure(410));
      const start = Number(page.continue ?? 0);
      const end = page.limit === 0 ? server.items.length : start + page.limit;
      const answer = {
        items: server.items.slice(start, end),
        resourceVersion: server.version,
        ...(end < server.items.length ? { continue: `${end}` } : {}),
      };
      if (!server.gate) return Promise.resolve(answer);
      return new Promise((resolve) => (server.open = () => resolve(answer)));
    },
    watch: (from, _seconds, watcher, signal) =>
      new Promise((resolve, reject) => {
        const send = (type: WatchEvent<Thing>["type"], object: unknown): void => {
          try {
            watcher.on({ type, object: object as Thing });
          } catch (cause) {
            if (cause instanceof Error) reject(cause);
          }
        };
        watches.push({ from, signal, opened: () => watcher.opened(), send, end: resolve, fail: reject });
      }),
  };
  const clock = new VirtualClock();
  const seen = {
    changes: [] as string[],
    listed: [] as number[],
    failures: [] as string[],
    retries: [] as number[],
    handlerFailures: 0,
  };
  let onChange: () => void = () => undefined;
  const reflector = new Reflector<Thing>(
    source,
    {
      changed(change) {
        seen.changes.push(describeChange(change));
        onChange();
      },
      listed: (objects) => seen.listed.push(objects),
      failed: (cause, retryIn) => {
        seen.failures.push((cause as Error).message);
        seen.retries.push(retryIn);
      },
      handlerFailed: () => (seen.handlerFailures += 1),
    },
    { clock, random: () => 1 },
  );
  const lastWatch = (): Watch => {
    const watch = watches.at(-1);
    if (watch === undefined) throw new Error("nothing was watched");
    return watch;
  };
  const started = async (): Promise<void> => {
    reflector.start();
    await settle();
  };
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settle();
  };
  return {
    server,
    lists,
    watches,
    clock,
    seen,
    reflector,
    lastWatch,
    started,
    advance,
    onChange: (handler: () => void) => (onChange = handler),
  };
}

const failure = (status: number): Error => Object.assign(new Error(`status ${status}`), { status });

test("lists page by page, then watches from the version of the list", async () => {
  const { lists, watches, seen, reflector, started } = given(
    Array.from({ length: 1_201 }, (_, index) => thing(`t${index}`, 5)),
  );
  await started();
  expect(lists).toEqual([{ limit: 500 }, { limit: 500, continue: "500" }, { limit: 500, continue: "1000" }]);
  expect(reflector.list()).toHaveLength(1_201);
  expect(reflector.isSynced).toBe(true);
  expect(seen.listed).toEqual([1_201]);
  expect(watches.map(({ from }) => from)).toEqual(["10"]);
});

test("reports added, changed and removed objects", async () => {
  const { seen, reflector, lastWatch, started } = given([thing("a", 1), thing("b", 2)]);
  await started();
  lastWatch().send("ADDED", thing("c", 11));
  lastWatch().send("MODIFIED", thing("a", 12));
  lastWatch().send("DELETED", thing("b", 13));
  expect(seen.changes).toEqual(["added a", "added b", "added c", "updated a", "removed b"]);
  expect(reflector.get("/a")?.metadata.resourceVersion).toBe("12");
  expect(reflector.get("/b")).toBeUndefined();
});

test("another uid under the same name is reported as a replacement, by a watch and by a list", async () => {
  const { server, seen, lastWatch, started } = given([thing("a", 1), thing("b", 2)]);
  await started();
  lastWatch().send("ADDED", thing("a", 11, "another"));
  server.items = [thing("a", 11, "another"), thing("b", 12, "another")];
  lastWatch().send("ERROR", { code: 410, message: "too old" });
  await settle();
  expect(seen.changes).toEqual(["added a", "added b", "replaced a", "replaced b"]);
});

test("a watch that the server ends is opened again from the last event or bookmark, without a list", async () => {
  const { lists, watches, lastWatch, started, advance } = given();
  await started();
  lastWatch().send("BOOKMARK", { metadata: { resourceVersion: "99" } });
  await advance(300_000 - 200_000);
  lastWatch().end();
  await settle();
  expect(watches.map(({ from }) => from)).toEqual(["10", "99"]);
  expect(lists).toHaveLength(1);
});

test("410 after a successful watch is listed at once; changes in the meantime are reported", async () => {
  const { server, lists, seen, lastWatch, started } = given([thing("a", 1), thing("b", 2)]);
  await started();
  server.items = [thing("b", 2), thing("c", 20)];
  server.version = "30";
  lastWatch().send("BOOKMARK", { metadata: { resourceVersion: "11" } });
  lastWatch().send("ERROR", { code: 410, message: "too old" });
  await settle();
  expect(lists).toHaveLength(2);
  expect(lastWatch().from).toBe("30");
  expect(seen.changes).toEqual(["added a", "added b", "removed a", "added c"]);
  expect(seen.retries).toEqual([0]);
});

test("410 again and again backs off", async () => {
  const { seen, lastWatch, started, advance } = given();
  await started();
  for (let round = 0; round < 4; round += 1) {
    lastWatch().send("ERROR", { code: 410, message: "too old" });
    await settle();
    await advance(seen.retries.at(-1) ?? 0);
  }
  expect(seen.retries).toEqual([0, 1_000, 2_000, 4_000]);
});

test("a failed list is retried forever, with a growing delay of up to 30 s", async () => {
  const { server, seen, reflector, started, advance } = given([thing("a", 1)]);
  server.fail = failure(500);
  await started();
  for (let round = 0; round < 10; round += 1) await advance(30_000);
  expect(seen.retries.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
  expect(seen.retries.at(-1)).toBe(30_000);
  expect(reflector.isSynced).toBe(false);
  expect(reflector.obstacle).toBe("status 500");
  server.fail = undefined;
  await advance(30_000);
  expect(reflector.isSynced).toBe(true);
  expect(reflector.obstacle).toBeUndefined();
});

test("a failed watch is opened again at its version; after four failures in a row there is a list", async () => {
  const { lists, watches, seen, lastWatch, started, advance } = given();
  await started();
  for (let round = 0; round < 4; round += 1) {
    lastWatch().fail(new Error("connection reset"));
    await settle();
    expect(lists).toHaveLength(1);
    await advance(seen.retries.at(-1) ?? 0);
  }
  expect(watches.map(({ from }) => from)).toEqual(["10", "10", "10", "10", "10"]);
  expect(lists).toHaveLength(2);
});

test("a watch that is refused (4xx) is not requested again with the same version", async () => {
  const { lists, lastWatch, started, advance } = given();
  await started();
  lastWatch().fail(failure(403));
  await settle();
  await advance(500);
  expect(lists).toHaveLength(2);
});

test("watches that end at once do not make a tight loop", async () => {
  const { watches, seen, lastWatch, started, advance } = given();
  await started();
  lastWatch().end();
  await settle();
  expect(watches).toHaveLength(1);
  expect(seen.retries).toEqual([500]);
  await advance(500);
  expect(watches).toHaveLength(2);
});

test("a watch without a bookmark for 150 s is closed and opened again, even if it ignores its signal", async () => {
  const { watches, seen, lastWatch, started, advance } = given();
  await started();
  await advance(100_000);
  lastWatch().send("BOOKMARK", { metadata: { resourceVersion: "12" } });
  await advance(149_000);
  expect(watches).toHaveLength(1);
  const [old] = watches;
  await advance(1_000);
  expect(old?.signal.aborted).toBe(true);
  expect(watches.map(({ from }) => from)).toEqual(["10", "12"]);
  expect(seen.failures).toEqual([]);
});

test("hours without events: no watch is late, nothing counts as a failure and nothing is listed again", async () => {
  const { lists, watches, seen, lastWatch, started, advance } = given();
  await started();
  for (let round = 0; round < 20; round += 1) {
    lastWatch().opened();
    await advance(150_000);
  }
  expect(watches).toHaveLength(21);
  expect(lists).toHaveLength(1);
  expect(seen.failures).toEqual([]);
});

test("a watch that does not open is a failure", async () => {
  const { watches, seen, started, advance } = given();
  await started();
  await advance(150_000);
  expect(seen.failures).toEqual(["silent for 150 s"]);
  await advance(499);
  expect(watches).toHaveLength(1);
  await advance(1);
  expect(watches).toHaveLength(2);
});

test("events of a closed watch are ignored", async () => {
  const { seen, lastWatch, started, advance } = given();
  await started();
  const old = lastWatch();
  await advance(150_000);
  old.send("ADDED", thing("late", 11));
  expect(seen.changes).toEqual([]);
});

test("a list without an answer is aborted after 60 s", async () => {
  const { server, lists, seen, started, advance } = given();
  server.hangs = true;
  await started();
  await advance(60_000);
  expect(seen.failures).toEqual(["silent for 60 s"]);
  await advance(500);
  expect(lists).toHaveLength(2);
});

test("a list that the server drops between two pages is requested in one page", async () => {
  const { server, lists, seen, started } = given(
    Array.from({ length: 700 }, (_, index) => thing(`t${index}`, 5)),
  );
  server.forgetsPages = true;
  await started();
  expect(lists).toEqual([{ limit: 500 }, { limit: 500, continue: "500" }, { limit: 0 }]);
  expect(seen.listed).toEqual([700]);
});

test("a handler that throws stops nothing, and the event counts as reported", async () => {
  const { seen, watches, lastWatch, started, advance, onChange } = given([thing("a", 1)]);
  onChange(() => {
    throw new Error("planted");
  });
  await started();
  lastWatch().send("ADDED", thing("b", 11));
  lastWatch().send("ADDED", thing("c", 12));
  await advance(150_000);
  await advance(500);
  expect(seen.changes).toEqual(["added a", "added b", "added c"]);
  expect(seen.handlerFailures).toBe(3);
  expect(watches.at(-1)?.from).toBe("12");
});

test("stop is final during a watch, a list, and the wait before the next attempt", async () => {
  const watching = given();
  await watching.started();
  watching.reflector.stop();
  watching.lastWatch().send("ADDED", thing("late", 11));
  await watching.advance(1_000_000);
  expect(watching.lastWatch().signal.aborted).toBe(true);
  expect(watching.watches).toHaveLength(1);

  const listing = given();
  listing.server.hangs = true;
  await listing.started();
  listing.reflector.stop();
  await listing.advance(1_000_000);
  expect(listing.lists).toHaveLength(1);

  const waiting = given();
  waiting.server.fail = failure(500);
  await waiting.started();
  waiting.reflector.stop();
  waiting.server.fail = undefined;
  await waiting.advance(1_000_000);
  waiting.reflector.start();
  await waiting.advance(1_000_000);
  expect(waiting.lists).toHaveLength(1);
  expect([...watching.seen.changes, ...watching.seen.failures, ...listing.seen.failures]).toEqual([]);
});

test("a second start does nothing", async () => {
  const { lists, watches, reflector, started } = given();
  reflector.start();
  await started();
  expect([lists.length, watches.length]).toEqual([1, 1]);
});

test("the age of the last event is reset by a page, a watch, an event and a bookmark", async () => {
  const { reflector, lastWatch, started, advance } = given();
  await advance(5_000);
  expect(reflector.lastEventAge).toBe(5_000);
  await started();
  expect(reflector.lastEventAge).toBe(0);
  await advance(7_000);
  lastWatch().opened();
  expect(reflector.lastEventAge).toBe(0);
  await advance(9_000);
  expect(reflector.lastEventAge).toBe(9_000);
  lastWatch().send("BOOKMARK", { metadata: { resourceVersion: "12" } });
  expect(reflector.lastEventAge).toBe(0);
});

test("the answer to our own write is reported at once, and not again by the watch", async () => {
  const { seen, reflector, lastWatch, started } = given([thing("a", 1)]);
  await started();
  reflector.learn(thing("a", 15));
  reflector.learn(thing("gone", 15));
  reflector.learn(thing("a", 99, "another"));
  lastWatch().send("MODIFIED", thing("a", 12));
  lastWatch().send("MODIFIED", thing("a", 15));
  expect(reflector.get("/a")?.metadata.resourceVersion).toBe("15");
  expect(seen.changes).toEqual(["added a", "updated a"]);
  lastWatch().send("MODIFIED", thing("a", 16));
  expect(seen.changes).toEqual(["added a", "updated a", "updated a"]);
});

test("a list that began before our own write does not undo it", async () => {
  const { server, reflector, lastWatch, started } = given([thing("a", 1)]);
  await started();
  server.gate = true;
  lastWatch().send("ERROR", { code: 410, message: "too old" });
  await settle();
  reflector.learn(thing("a", 15));
  server.open();
  await settle();
  expect(reflector.get("/a")?.metadata.resourceVersion).toBe("15");
});

test("a list with lower versions is valid: the API server's data were restored", async () => {
  const { server, seen, lastWatch, reflector, started } = given([thing("a", 100)], 200);
  await started();
  server.items = [thing("a", 7)];
  server.version = "9";
  lastWatch().send("ERROR", { code: 410, message: "too old" });
  await settle();
  expect(reflector.get("/a")?.metadata.resourceVersion).toBe("7");
  lastWatch().send("MODIFIED", thing("a", 10));
  expect(seen.changes).toEqual(["added a", "updated a", "updated a"]);
});
