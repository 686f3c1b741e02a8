/** The limit of contacts of a user (docs/adr/0024). */
import { describe, expect, it } from "vitest";
import { defaultRegistration, type RegistrationSettings } from "../location/account.ts";
import { type Binding, isCurrent } from "../location/binding.ts";
import type { Contact } from "../wire/contact.ts";
import { flowOf } from "../wire/flow.ts";
import { type AcceptedPlan, type Plan, plan } from "./plan.ts";

const flow = flowOf("192.0.2.1", 5060);
const contact = (name: string, change: Partial<Contact> = {}): Contact => ({
  uri: `sip:${name}@192.0.2.1:5060`,
  q: undefined,
  expires: undefined,
  instance: undefined,
  regId: 0,
  ...change,
});

/** A user's rows. Each REGISTER is one second later and the first one of a phone, with its own Call-ID. */
class User {
  rows: readonly Binding[] = [];
  #time = 1;
  readonly #settings: RegistrationSettings;

  constructor(settings: Partial<RegistrationSettings> = {}) {
    this.#settings = { ...defaultRegistration, maxContacts: 2, ...settings };
  }

  plan(userAgent: string, list: readonly Contact[], settings: Partial<RegistrationSettings> = {}): Plan {
    this.#time += 1;
    const planned = plan(
      {
        aor: { username: "bob", domain: "example.com" },
        contacts: { kind: "list", contacts: list },
        expires: undefined,
        callId: `call-${this.#time}`,
        cseq: this.#time,
        userAgent,
        flow,
        isDirect: true,
        node: "aaaaaaaaaaaa",
        nonce: { at: this.#time, count: 1 },
      },
      this.rows,
      { ...this.#settings, ...settings },
    );
    if (planned.kind !== "accept") return planned;
    const refreshedAt = this.#time;
    const changed = new Map(planned.changed.map((row) => [row.id, { ...row, refreshedAt }]));
    this.rows = [...this.rows.filter(({ id }) => !changed.has(id)), ...changed.values()];
    return planned;
  }

  /** The user part of each contact in the response. */
  register(userAgent: string, ...names: string[]): string[] {
    return listed(
      this.plan(
        userAgent,
        names.map((name) => contact(name)),
      ),
    ).current;
  }

  get bound(): string[] {
    return this.rows.filter(isCurrent).map(nameOf).sort();
  }
}
const nameOf = (row: Binding): string => row.contact.slice(4, row.contact.indexOf("@"));
function listed(planned: Plan): { current: string[]; changed: AcceptedPlan["changed"] } {
  if (planned.kind !== "accept") throw new Error(JSON.stringify(planned));
  return { current: planned.current.map(nameOf).sort(), changed: planned.changed };
}

describe("ReplaceOldest, the default", () => {
  it("the least recently refreshed contact is removed, and its row keeps the Call-ID, CSeq and nonce of its phone", () => {
    const user = new User();
    user.register("desk", "a");
    user.register("mobile", "b");
    user.register("desk", "a");
    const [old] = user.rows.filter((row) => nameOf(row) === "b");
    const { current, changed } = listed(user.plan("soft", [contact("c")]));
    expect(current).toEqual(["a", "c"]);
    expect(changed.map((row) => [nameOf(row), row.expiresIn > 0])).toEqual([
      ["c", true],
      ["b", false],
    ]);
    expect(changed[1]).toMatchObject({ callId: old?.callId, cseq: old?.cseq, nonceAt: old?.nonceAt });
    expect(user.register("mobile", "b")).toEqual(["b", "c"]); // its next refresh is accepted
  });

  it("the contact that a restarted phone abandoned is removed before another phone's older contact", () => {
    const user = new User();
    user.register("desk", "a");
    for (const name of ["b", "c", "d", "e"]) expect(user.register("soft", name)).toEqual(["a", name]);
    expect(user.bound).toEqual(["a", "e"]);
  });

  it.each([
    ["a contact with an instance does not count as abandoned", "soft", { instance: "<urn:uuid:1>" }],
    ["a contact without a User-Agent does not either", "n/a", {}],
  ])("%s", (_, userAgent, change) => {
    const user = new User();
    user.register("desk", "a");
    user.plan(userAgent, [contact("b", change)]);
    expect(listed(user.plan(userAgent, [contact("c")])).current).toEqual(["b", "c"]);
  });

  it("another tool's rows are not removed: the contact is refused", () => {
    const user = new User();
    user.register("desk", "a", "b");
    user.rows = user.rows.map(({ refreshedAt: _, ...row }) => row);
    expect(user.plan("soft", [contact("c")])).toMatchObject({ kind: "reject", status: 500 });
    expect(user.bound).toEqual(["a", "b"]);
  });

  it("contacts of one request do not replace each other: more than allowed are refused", () => {
    const user = new User();
    user.register("desk", "a", "b");
    expect(
      user.plan(
        "desk",
        ["a", "b", "c"].map((name) => contact(name)),
      ),
    ).toMatchObject({ status: 500 });
  });

  it("after the limit was lowered, a refresh is accepted, and the next new contact enforces it", () => {
    const user = new User({ maxContacts: 4 });
    for (const name of ["a", "b", "c", "d"]) user.register(`phone ${name}`, name);
    expect(listed(user.plan("phone a", [contact("a")], { maxContacts: 2 })).current).toHaveLength(4);
    expect(listed(user.plan("phone e", [contact("e")], { maxContacts: 2 })).current).toEqual(["a", "e"]);
  });

  it("a contact that is added in the request that removes another one replaces no third one", () => {
    const user = new User();
    user.register("desk", "a", "b");
    const planned = user.plan("desk", [contact("a", { expires: 0 }), contact("c")]);
    expect(listed(planned).current).toEqual(["b", "c"]);
  });
});

describe("Reject", () => {
  it("one contact more is refused with a status that no phone takes for a wrong password, and nothing changes", () => {
    const user = new User({ onMaxContacts: "Reject" });
    user.register("desk", "a", "b");
    expect(user.plan("desk", [contact("c")])).toEqual({
      kind: "reject",
      status: 500,
      reason: "Too many contacts: at most 2",
      lines: "Retry-After: 60\r\n",
    });
    expect(user.bound).toEqual(["a", "b"]);
  });

  it("at the limit a refresh and a removal are accepted, and expired contacts do not count", () => {
    const user = new User({ onMaxContacts: "Reject" });
    expect(user.register("desk", "a", "b")).toEqual(["a", "b"]);
    expect(user.register("desk", "b")).toEqual(["a", "b"]);
    user.rows = user.rows.map((row) => ({ ...row, expiresIn: -1 }));
    expect(user.register("desk", "c", "d")).toEqual(["c", "d"]);
  });
});
