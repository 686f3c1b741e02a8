/** The plan of a REGISTER (RFC 3261 §10.3 steps 6 and 7; design-sip rules 10, 13 and 16). */
import { describe, expect, it } from "vitest";
import { defaultRegistration } from "../location/account.ts";
import type { Binding } from "../location/binding.ts";
import type { Contact } from "../wire/contact.ts";
import { flowOf } from "../wire/flow.ts";
import { type Plan, plan } from "./plan.ts";
import { maxExpiresBehindNat, type Registration } from "./registration.ts";

const home = flowOf("192.0.2.1", 5060);
const router = flowOf("203.0.113.9", 40_001);
const desk: Contact = {
  uri: "sip:bob@192.0.2.1",
  q: undefined,
  expires: undefined,
  instance: undefined,
  regId: 0,
};
const other: Contact = { ...desk, uri: "sip:bob2@192.0.2.1" };
const settings = {
  ...defaultRegistration,
  minExpires: 60,
  defaultExpires: 600,
  maxExpires: 3600,
  maxContacts: 2,
};

const registration = (change: Partial<Registration> & { list?: readonly Contact[] } = {}): Registration => ({
  aor: { username: "bob", domain: "example.com" },
  contacts: { kind: "list", contacts: change.list ?? [desk] },
  expires: undefined,
  callId: "call-1",
  cseq: 10,
  userAgent: "desk phone",
  flow: home,
  isDirect: false,
  node: "aaaaaaaaaaaa",
  nonce: { at: 1000, count: 1 },
  ...change,
});
const accepted = (made: Plan) => {
  if (made.kind !== "accept") throw new Error(JSON.stringify(made));
  return made;
};
/** The rows after a REGISTER of these contacts. */
const rowsOf = (change: Parameters<typeof registration>[0] = {}): readonly Binding[] =>
  accepted(plan(registration(change), [], settings)).changed;
const expired = (row: Binding): Binding => ({ ...row, expiresIn: -5 });

describe("§10.3 step 7: expiration", () => {
  const granted = (contact: Partial<Contact>, expires?: number, flow = home) =>
    accepted(plan(registration({ list: [{ ...desk, ...contact }], expires, flow }), [], settings)).changed[0]
      ?.expiresIn;

  it("the contact's own parameter comes first, then the Expires field, then the default", () => {
    expect(granted({ expires: 100 }, 200)).toBe(100);
    expect(granted({}, 200)).toBe(200);
    expect(granted({})).toBe(600);
  });

  it("more than maxExpires is reduced to it", () => expect(granted({ expires: 86_400 })).toBe(3600));

  it.each([1, 59])("%i s, less than minExpires, is refused with 423 and Min-Expires", (expires) => {
    expect(plan(registration({ expires }), [], settings)).toMatchObject({
      kind: "reject",
      status: 423,
      lines: "Min-Expires: 60\r\n",
    }); // prettier-ignore
  });

  it("an hour is never too brief", () => {
    expect(
      plan(registration({ expires: 3600 }), [], { ...settings, minExpires: 7200, maxExpires: 7200 }).kind,
    ).toBe("accept");
    expect(plan(registration({ expires: 3599 }), [], { ...settings, minExpires: 7200 })).toMatchObject({
      status: 423,
    });
  });

  it("one brief contact refuses the whole request", () => {
    const list = [desk, { ...other, expires: 1 }];
    expect(plan(registration({ list }), [], settings)).toMatchObject({ status: 423 });
  });

  it("design-sip rule 10: behind NAT on UDP at most 120 s", () => {
    expect(granted({ expires: 3600 }, undefined, router)).toBe(maxExpiresBehindNat);
    expect(granted({ expires: 90 }, undefined, router)).toBe(90);
  });
});

describe("§10.3 step 7: add, refresh, remove, fetch", () => {
  it("a new contact is written and listed, with the values of the request", () => {
    const { changed, current } = accepted(plan(registration(), [], settings));
    expect(changed).toEqual(current);
    expect(changed[0]).toMatchObject({
      contact: desk.uri,
      q: 1000,
      callId: "call-1",
      cseq: 10,
      flow: home,
      isBehindNat: false,
      ownerNode: "aaaaaaaaaaaa",
      nonceAt: 1000,
      nonceCount: 1,
      userAgent: "desk phone",
    }); // prettier-ignore
  });

  it("it is registered since its first REGISTER, until it expires or is removed", () => {
    const rows = rowsOf().map((row) => ({ ...row, registeredAt: 7 }));
    const again = (before: readonly Binding[]) =>
      accepted(plan(registration({ cseq: 11, nonce: { at: 2000, count: 1 } }), before, settings)).changed[0]
        ?.registeredAt;
    expect([again([]), again(rows), again(rows.map(expired))]).toEqual([0, 7, 0]);
  });

  it("a refresh writes the same row and keeps the others in the answer", () => {
    const rows = rowsOf({ list: [desk, other] });
    const { changed, current } = accepted(
      plan(registration({ cseq: 11, nonce: { at: 1000, count: 2 } }), rows, settings),
    );
    expect(changed.map(({ id, cseq }) => [id, cseq])).toEqual([[rows[0]?.id, 11]]);
    expect(current.map(({ contact }) => contact)).toEqual([other.uri, desk.uri]);
  });

  it("expires 0 removes that contact only", () => {
    const rows = rowsOf({ list: [desk, other] });
    const request = registration({
      cseq: 11,
      nonce: { at: 2000, count: 1 },
      list: [{ ...desk, expires: 0 }],
    });
    const { changed, current } = accepted(plan(request, rows, settings));
    expect(changed).toMatchObject([{ id: rows[0]?.id, expiresIn: 0 }]);
    expect(current.map(({ contact }) => contact)).toEqual([other.uri]);
  });

  it("removing an unknown contact changes nothing", () => {
    expect(accepted(plan(registration({ expires: 0 }), [], settings))).toEqual({
      kind: "accept",
      changed: [],
      current: [],
      formerFlows: [],
    });
  });

  it("without a contact it is a fetch: all current bindings, nothing written", () => {
    const rows = rowsOf({ list: [desk, other] });
    const { changed, current } = accepted(
      plan(registration({ list: [] }), [rows[0] as Binding, expired(rows[1] as Binding)], settings),
    );
    expect(changed).toEqual([]);
    expect(current.map(({ contact }) => contact)).toEqual([desk.uri]);
  });

  it("of two equal contacts the last one is written", () => {
    const { changed } = accepted(plan(registration({ list: [desk, { ...desk, q: 500 }] }), [], settings));
    expect(changed).toMatchObject([{ q: 500 }]);
  });
});

describe("§10.3 step 6: *", () => {
  const star = (change: Partial<Registration> = {}) =>
    registration({
      contacts: { kind: "star" },
      expires: 0,
      cseq: 11,
      nonce: { at: 2000, count: 1 },
      ...change,
    });

  it.each([undefined, 1, 3600])("with Expires %j it is refused with 400", (expires) => {
    expect(plan(star({ expires }), [], settings)).toMatchObject({ status: 400 });
  });

  it("with Expires 0 it removes all bindings, those of another Call-ID too", () => {
    const rows = [...rowsOf(), ...rowsOf({ list: [other], callId: "call-2", cseq: 99 })];
    const { changed, current } = accepted(plan(star(), rows, settings));
    expect(changed.map(({ id, expiresIn, cseq }) => [id, expiresIn, cseq])).toEqual(
      rows.map(({ id }) => [id, 0, 11]),
    );
    expect(current).toEqual([]);
  });

  it("a CSeq that is not higher removes no binding", () => {
    const rows = [...rowsOf({ list: [other], callId: "call-2" }), ...rowsOf({ cseq: 11 })];
    expect(plan(star(), rows, settings)).toMatchObject({ status: 400 });
  });

  it("a repetition is accepted and changes nothing", () => {
    const removed = rowsOf().map((row) => ({ ...row, expiresIn: 0, cseq: 11, nonceAt: 2000 }));
    expect(accepted(plan(star(), removed, settings))).toEqual({
      kind: "accept",
      changed: [],
      current: [],
      formerFlows: [],
    });
  });

  it("without bindings it changes nothing", () => {
    expect(accepted(plan(star(), [], settings)).changed).toEqual([]);
  });
});

describe("§10.3 step 7: the order of Call-ID and CSeq", () => {
  const rows = rowsOf();

  it("an equal request is the same one: nothing is written, and the response lists the rows (rule 13)", () => {
    expect(accepted(plan(registration(), rows, settings))).toEqual({
      kind: "accept",
      changed: [],
      current: rows,
      formerFlows: [],
    });
  });

  it("an equal removal is the same one too", () => {
    const removed = rows.map((row) => ({ ...row, expiresIn: 0 }));
    expect(accepted(plan(registration({ expires: 0 }), removed, settings)).changed).toEqual([]);
  });

  it.each([
    ["a lower CSeq", { cseq: 9 }],
    ["an equal CSeq that now removes", { expires: 0 }],
    [
      "an equal CSeq with another contact of the same binding",
      { list: [{ ...desk, uri: "sip:%62ob@192.0.2.1" }] },
    ],
    ["an equal CSeq with one contact more", { list: [desk, other] }],
  ])("%s fails with 400", (_, change) => {
    expect(plan(registration({ ...change, nonce: { at: 2000, count: 1 } }), rows, settings)).toMatchObject({
      status: 400,
    });
  });

  it("the CSeq is compared with expired rows too", () => {
    expect(plan(registration({ cseq: 9 }), rows.map(expired), settings)).toMatchObject({ status: 400 });
  });

  it("another Call-ID (a restarted phone) updates the binding with any CSeq", () => {
    const { changed } = accepted(plan(registration({ callId: "call-2", cseq: 1 }), rows, settings));
    expect(changed).toMatchObject([{ id: rows[0]?.id, callId: "call-2", cseq: 1 }]);
  });

  it("one old contact among new ones refuses the whole request", () => {
    const list = [other, desk];
    expect(
      plan(registration({ list, cseq: 10, nonce: { at: 2000, count: 1 } }), rows, settings),
    ).toMatchObject({ status: 400 });
  });
});

describe("replays (design-sip rule 16)", () => {
  const rows = rowsOf({ nonce: { at: 1000, count: 5 } });
  const withNonce = (nonce: Registration["nonce"], change: Parameters<typeof registration>[0] = {}) =>
    plan(registration({ cseq: 11, nonce, ...change }), rows, settings).kind;

  it.each([
    ["the same nonce and count", { at: 1000, count: 5 }, "stale"],
    ["a lower count", { at: 1000, count: 4 }, "stale"],
    ["an older nonce", { at: 999, count: 9 }, "stale"],
    ["a higher count", { at: 1000, count: 6 }, "accept"],
    ["a newer nonce", { at: 1001, count: 1 }, "accept"],
  ] as const)("%s is %s", (_, nonce, kind) => {
    expect(withNonce(nonce)).toBe(kind);
  });

  it("an eavesdropper cannot add a contact of its own with the credentials of another request", () => {
    expect(withNonce({ at: 1000, count: 5 }, { list: [{ ...desk, uri: "sip:bob@198.51.100.66" }] })).toBe(
      "stale",
    );
  });

  it("it cannot remove all bindings either, nor use them after the row has expired", () => {
    expect(withNonce({ at: 1000, count: 5 }, { contacts: { kind: "star" }, expires: 0 })).toBe("stale");
    const late = registration({ cseq: 11, nonce: { at: 1000, count: 5 } });
    expect(plan(late, rows.map(expired), settings).kind).toBe("stale");
  });

  it("rows of another Call-ID are not compared, because a nonce is bound to its Call-ID", () => {
    expect(withNonce({ at: 900, count: 1 }, { callId: "call-2" })).toBe("accept");
  });
});

describe("the key of a binding (rule 13)", () => {
  const id = (contact: Partial<Contact>, flow = home) =>
    rowsOf({ list: [{ ...desk, ...contact }], flow })[0]?.id;

  it("is instance and reg-id when the phone has them, for any contact and address", () => {
    const instance = "<urn:uuid:1>";
    expect(id({ instance, regId: 1 })).toBe(id({ instance, regId: 1, uri: "sip:x@198.51.100.1:9" }, router));
    expect(id({ instance, regId: 1 })).not.toBe(id({ instance, regId: 2 }));
    expect(id({ instance })).not.toBe(id({ instance: "<urn:uuid:2>" }));
  });

  it("is the canonical contact otherwise, behind NAT with the source address and without its port", () => {
    expect(id({ uri: "SIP:%62ob@192.0.2.1" })).toBe(id({}));
    expect(id({ uri: "sip:bob@192.0.2.1;x=1" })).not.toBe(id({}));
    expect(id({ uri: "sip:bob@192.0.2.1;transport=tcp" })).not.toBe(id({}));
    expect(id({}, router)).toBe(id({}, flowOf(router.address, 40_777)));
    expect(id({}, router)).not.toBe(id({}, flowOf("203.0.113.10", router.port)));
  });

  it("is a decimal number below 2^63", () => expect(BigInt(id({}) ?? -1) >> 63n).toBe(0n));
});
