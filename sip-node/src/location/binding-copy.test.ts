/** The copy of bindings: which entry is trusted, which version wins, when bindings expire, what is evicted. */
import { beforeEach, describe, expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import type { Binding } from "./binding.ts";
import { BindingCopy, bindingsAt, maxAge } from "./binding-copy.ts";

const binding = (id: string, expiresIn = 60): Binding => ({
  id,
  contact: `sip:bob@10.0.0.${id}`,
  q: 1000,
  callId: "c",
  cseq: 1,
  expiresIn,
  flow: flowOf("198.51.100.7", 4711),
  isBehindNat: true,
  ownerNode: "",
  userAgent: "",
  instance: undefined,
  regId: 0,
  nonceAt: 0,
  nonceCount: 0,
  registeredAt: 0,
});
const content = (version: number, at = 0, ...bindings: Binding[]) => ({
  version,
  bindings: bindings.length > 0 ? bindings : [binding(String(version))],
  at,
  readAt: at,
});

let copy: BindingCopy;
beforeEach(() => {
  copy = new BindingCopy(3);
});
const isTrusted = (key: string, now = 0) => {
  const entry = copy.find(key);
  return entry !== undefined && copy.isTrusted(entry, now);
};
const versionOf = (key: string) => copy.find(key)?.version;

describe("trust", () => {
  it("what was read is trusted for five minutes, until the next distrust", () => {
    copy.store("bob", content(1), 0, copy.epoch);
    expect([isTrusted("bob"), isTrusted("bob", maxAge - 1), isTrusted("bob", maxAge)]).toEqual([
      true,
      true,
      false,
    ]);
    copy.distrust();
    expect([isTrusted("bob"), versionOf("bob")]).toEqual([false, 1]);
  });

  it("a read that began before a distrust is not trusted after it", () => {
    const before = copy.epoch;
    copy.distrust();
    copy.store("bob", content(1), 0, before);
    expect(isTrusted("bob")).toBe(false);
    copy.store("bob", content(1, 5), 5, copy.epoch);
    expect(isTrusted("bob")).toBe(true);
  });

  it("a peer's change of a trusted entry is trusted", () => {
    copy.store("bob", content(1), 0, copy.epoch);
    copy.applyChange("bob", content(2), 1);
    expect([isTrusted("bob"), versionOf("bob")]).toEqual([true, 2]);
  });

  it("a peer's change of an unknown user, or after a distrust, is kept but not trusted: a later one may have been missed", () => {
    copy.applyChange("bob", content(2), 1);
    expect([isTrusted("bob"), versionOf("bob")]).toEqual([false, 2]);
    copy.store("bob", content(2, 2), 2, copy.epoch);
    copy.distrust();
    copy.applyChange("bob", content(3), 3);
    expect([isTrusted("bob"), versionOf("bob")]).toEqual([false, 3]);
  });

  it("a lower version is outdated until it is read again, the same or a higher one stays", () => {
    copy.store("bob", content(4), 0, copy.epoch);
    copy.outdate("bob", 4);
    expect(isTrusted("bob")).toBe(true);
    copy.outdate("bob", 5);
    expect([isTrusted("bob"), versionOf("bob")]).toEqual([false, 4]);
  });
});

describe("versions", () => {
  it("a read that began before an unknown version was announced is not trusted, also without an entry", () => {
    copy.outdate("bob", 7);
    copy.distrustReads(10);
    copy.store("bob", content(6, 5), 5, copy.epoch);
    expect(isTrusted("bob", 11)).toBe(false);
    copy.store("bob", content(7, 11), 11, copy.epoch);
    expect(isTrusted("bob", 11)).toBe(true);
  });

  it("changes in reverse order: the higher version stays", () => {
    copy.store("bob", content(1), 0, copy.epoch);
    for (const version of [3, 2]) copy.applyChange("bob", content(version), version);
    expect(versionOf("bob")).toBe(3);
  });

  it("a change that overtakes a read wins, and is trusted as the read is", () => {
    copy.applyChange("bob", content(7), 10);
    const entry = copy.store("bob", content(6, 5), 5, copy.epoch);
    expect([entry.version, isTrusted("bob", 10)]).toEqual([7, true]);
  });

  it("a much older entry with a higher version than a read: the database was restored", () => {
    copy.store("bob", content(7), 0, copy.epoch);
    copy.store("bob", content(2, 60_000), 60_000, copy.epoch);
    expect(versionOf("bob")).toBe(2);
  });

  it("a read of the same version brings rows of other tools", () => {
    copy.store("bob", content(1), 0, copy.epoch);
    copy.store("bob", content(1, 9, binding("1"), binding("5")), 9, copy.epoch);
    expect(copy.find("bob")?.bindings).toHaveLength(2);
  });
});

describe("time", () => {
  it("the remaining time falls; expired and removed bindings stay for 330 s", () => {
    const entry = copy.store("bob", content(1, 0, binding("1", 60), binding("2", 0)), 0, copy.epoch);
    const left = (now: number) =>
      bindingsAt(entry, now).bindings.map(({ id, expiresIn }) => [id, expiresIn > 0]);
    expect(left(59_999)).toEqual([
      ["1", true],
      ["2", false],
    ]);
    expect(left(60_000)).toEqual([
      ["1", false],
      ["2", false],
    ]);
    expect(left(330_000)).toEqual([["1", false]]);
    expect(left(390_000)).toEqual([]);
  });
});

describe("indexes and limits", () => {
  it("a binding is found by its id while its address of record has it", () => {
    copy.store("bob", content(1, 0, binding("1"), binding("2")), 0, copy.epoch);
    expect(copy.findById("2")).toBe(copy.find("bob"));
    copy.applyChange("bob", content(2, 1, binding("1")), 1);
    expect([copy.findById("2"), copy.findById("1")]).toEqual([undefined, copy.find("bob")]);
    copy.remove("bob");
    expect([copy.findById("1"), copy.size]).toEqual([undefined, 0]);
  });

  it("a full copy evicts an entry that was not used lately", () => {
    for (const key of ["a", "b", "c"]) copy.store(key, content(1, 0, binding(key)), 0, copy.epoch);
    copy.find("a");
    copy.store("d", content(1, 0, binding("d")), 1, copy.epoch);
    expect(["a", "b", "c", "d"].map((key) => copy.find(key) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect([copy.size, copy.evictions, copy.findById("b")]).toEqual([3, 1, undefined]);
  });

  it("a read that began before the change of an evicted entry does not bring the older version back", () => {
    copy.store("bob", content(1, 0, binding("b")), 0, copy.epoch);
    copy.applyChange("bob", content(2, 10, binding("b")), 10);
    for (const key of ["x", "y", "z"]) copy.store(key, content(1, 11, binding(key)), 11, copy.epoch);
    expect(copy.find("bob")).toBeUndefined();
    copy.store("bob", content(1, 5, binding("b")), 5, copy.epoch);
    expect(isTrusted("bob")).toBe(false);
  });
});
