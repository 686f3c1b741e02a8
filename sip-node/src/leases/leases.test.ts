/** The rules of docs/adr/0044 one by one. `test/scenarios/copy-leases.test.ts` runs them together, with faults. */
import { beforeEach, describe, expect, it } from "vitest";
import { Leases } from "./leases.ts";

const others = (...ids: string[]) => ids.map((id) => ({ id, isGone: false }));
let did: string[];
let reader: Leases;
let writer: Leases;
beforeEach(() => {
  did = [];
  reader = new Leases({
    receiver: {
      apply: (change) => did.push(`apply ${Buffer.from(change).toString()}`),
      distrust: () => did.push("distrust"),
    },
    sendChange: () => {},
  });
  writer = new Leases({
    receiver: { apply: () => {}, distrust: () => {} },
    sendChange: (to, sequence) => did.push(`send ${sequence} to ${to}`),
  });
  writer.gate.join(0);
  writer.receiveList([], 0, 0);
  reader.receiveList(others("w"), 0, 0);
  did.length = 0;
});
/** The reader asks the writer; the question arrives at `arrival`, and the answer later. Returns true if it is to be asked again. */
const ask = (sentAt: number, arrival = sentAt) =>
  reader.receiveReply("w", writer.reply("r", reader.question("w"), arrival), sentAt);
const askTwice = (now: number) => {
  ask(now);
  ask(now);
};
const announce = (change: string, now: number) =>
  writer.announce(Buffer.from(change), now, () => did.push(`done ${change}`));

describe("a reader", () => {
  it("holds a lease from the time when it asked, not from the answer", () => {
    askTwice(100);
    reader.receiveList(others("w"), 1_000, 1_000);
    expect([reader.held.isCurrent(1_599), reader.held.isCurrent(1_600)]).toEqual([true, false]);
  });

  it("uses a list for 1.5 s from the start of its cycle", () => {
    reader.receiveList([], 1_000, 2_000);
    expect([reader.held.isCurrent(2_499), reader.held.isCurrent(2_500)]).toEqual([true, false]);
  });

  it("distrusts its copy when its list was invalid in between, because a node can have come and gone", () => {
    reader.receiveList(others("w"), 1_400, 1_499);
    expect(did).toEqual([]);
    reader.receiveList(others("w"), 2_950, 2_950);
    expect(did).toEqual(["distrust"]);
  });

  it("needs a lease of a node whose frame arrived, until a list that was begun later does not have it", () => {
    expect(reader.held.recordFrame("x", 600)).toBe(true);
    reader.receiveList(others("w"), 500, 700);
    expect(reader.question("x")).not.toEqual([]);
    reader.receiveList(others("w"), 800, 900);
    expect([reader.question("x"), did]).toEqual([[], ["distrust"]]);
    expect(reader.held.recordFrame("x", 1_000)).toBe(false);
  });

  it("does not remove a node by a list that was begun before it confirmed to the node that it needs its lease", () => {
    writer.reply("r", [], 0);
    reader.reply("w", [], 400);
    reader.receiveList([{ id: "w", isGone: true }], 300, 500);
    expect(reader.question("w")).not.toEqual([]);
    reader.receiveList([{ id: "w", isGone: true }], 600, 700);
    expect([reader.question("w"), did]).toEqual([[], ["distrust"]]);
  });

  it("misses nothing of a node that said farewell with a number that is applied", () => {
    askTwice(0);
    announce("one", 10);
    reader.held.applyChange("w", 1, Buffer.from("one"));
    expect(reader.held.receiveFarewell("w", writer.leave())).toBe(1);
    expect(reader.held.isCurrent(1_499)).toBe(true);
    reader.receiveList([], 1_000, 1_000);
    expect([reader.held.isCurrent(2_000), did.includes("distrust")]).toEqual([true, false]);
  });

  it("that has ended uses its copy no more, although a cycle that was under way ends later", () => {
    askTwice(100);
    expect(reader.held.isCurrent(200)).toBe(true);
    reader.end();
    expect(reader.held.isCurrent(200)).toBe(false);
    reader.receiveList(others("w"), 150, 250);
    expect(reader.held.isCurrent(250)).toBe(false);
  });

  it("applies changes in any order, and counts only those without a gap", () => {
    askTwice(0);
    for (const number of [2, 2, 3]) reader.held.applyChange("w", number, Buffer.from(`${number}`));
    expect([reader.held.question("w")?.applied, did]).toEqual([0, ["apply 2", "apply 3"]]);
    reader.held.applyChange("w", 1, Buffer.from("1"));
    expect(reader.held.question("w")?.applied).toBe(3);
  });

  it("that does not know a writer begins at its number, with a copy that is distrusted", () => {
    announce("one", 10);
    expect([ask(20), ask(20), did]).toEqual([true, false, ["done one", "distrust"]]);
    expect(reader.held.isCurrent(30)).toBe(true);
  });
});

describe("a writer", () => {
  beforeEach(() => {
    askTwice(0);
    did.length = 0;
  });

  it("waits for the acknowledgement of a reader, and repeats the change after 40 ms", () => {
    announce("one", 10);
    writer.advance(49);
    writer.advance(50);
    expect(did).toEqual(["send 1 to r", "send 1 to r"]);
    writer.grants.acknowledge("r", 1);
    expect(did.at(-1)).toBe("done one");
  });

  it("waits no longer than 2 s after the last lease that it granted", () => {
    announce("one", 10);
    writer.advance(1_999);
    expect(did).not.toContain("done one");
    writer.advance(2_000);
    expect(did.at(-1)).toBe("done one");
  });

  it("waits no longer for a reader that has left, neither for present nor for later changes", () => {
    ask(0);
    writer.announce(Buffer.from("pending"), 10, () => did.push("done pending"));
    expect(did).not.toContain("done pending");
    writer.grants.remove("r");
    expect(did).toContain("done pending");
    announce("later", 20);
    expect(did).toContain("done later");
  });

  it("grants no lease to a reader that is behind, and sends what it lacks; a change on its way for less than 100 ms is no reason", () => {
    announce("one", 10);
    ask(100);
    expect(reader.held.isCurrent(1_499)).toBe(true);
    did.length = 0;
    ask(500);
    expect(did).toEqual(["send 1 to r"]);
    writer.advance(2_100);
    expect(did.at(-1)).toBe("done one");
  });

  it("announces nothing while its list is invalid, because it may be marked gone", () => {
    announce("one", 1_600);
    expect(did).toEqual([]);
    writer.receiveList(others("r"), 1_700, 1_700);
    writer.advance(1_720);
    expect(did).toEqual(["send 1 to r"]);
  });

  it("never ends an announcement after it has left", () => {
    writer.leave();
    announce("one", 10);
    writer.advance(10_000);
    expect(did).toEqual([]);
  });
});

it("a node that has left does not announce what waited for its list", () => {
  askTwice(0);
  did.length = 0;
  announce("one", 1_600);
  writer.leave();
  writer.receiveList(others("r"), 1_700, 1_700);
  writer.advance(1_720);
  expect(did).toEqual([]);
});

describe("the gate of a node that joined", () => {
  const joined = (at: number) => {
    writer.withdraw();
    writer.gate.join(at);
    writer.receiveList(others("r", "s"), at, at);
  };

  it("opens when each listed node has confirmed, in answer to a later ping, that it needs its lease", () => {
    joined(100);
    for (const [id, sentAt] of [
      ["r", 99],
      ["s", 100],
    ] as const)
      writer.receiveReply(id, [1, 0, 0, 0], sentAt);
    expect(writer.gate.isOpen).toBe(false);
    writer.receiveReply("r", [0, 0, 0, 0], 101);
    expect(writer.gate.isOpen).toBe(false);
    writer.receiveReply("r", [1, 0, 0, 0], 101);
    expect(writer.gate.isOpen).toBe(true);
  });

  it("opens after 2 s, and at once when it is alone", () => {
    joined(100);
    writer.advance(2_099);
    expect(writer.gate.isOpen).toBe(false);
    writer.advance(2_100);
    expect(writer.gate.isOpen).toBe(true);
    writer.withdraw();
    writer.gate.join(3_000);
    writer.receiveList([], 3_000, 3_000);
    expect(writer.gate.isOpen).toBe(true);
  });

  it("a commit that began before the node joined again has no valid term", () => {
    const term = writer.gate.openTerm;
    joined(100);
    writer.advance(2_100);
    expect(writer.gate.openTerm).not.toBe(term);
  });
});
