/** The contract of a location store (`sip-node/src/location/location-store.ts`), run against the one in memory and the one on MySQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Aor } from "../../sip-node/src/location/account.ts";
import type { AorBindings, Binding, BindingChange } from "../../sip-node/src/location/binding.ts";
import { contactKey } from "../../sip-node/src/location/contact-key.ts";
import type { DialogTarget } from "../../sip-node/src/location/dialog-target.ts";
import type { LocationStore } from "../../sip-node/src/location/location-store.ts";
import { flowOf } from "../../sip-node/src/wire/flow.ts";
import type { NewDomain, NewUser } from "./memory-location.ts";

export interface LocationFixture {
  /** The stores of two nodes on the same data. They may be one object. */
  readonly stores: readonly [LocationStore, LocationStore];
  addDomain(name: string, domain?: NewDomain): Promise<void>;
  addUser(username: string, domain: string, user?: NewUser): Promise<void>;
  addAlias(alias: Aor, of: Aor): Promise<void>;
  /** Deletes all rows. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

const bob: Aor = { username: "bob", domain: "example.com" };
const nobody: Aor = { username: "nobody", domain: "example.com" };

/** A binding that a store returns exactly: q in whole hundredths, and times that the clock can represent. */
const binding = (id: number, change: Partial<Binding> = {}): Binding => ({
  id: String(2n ** 62n + BigInt(id)),
  contact: `sip:bob@10.0.0.${id};x=y`,
  q: 250,
  callId: `call-${id}@10.0.0.1`,
  cseq: 2_147_483_647,
  expiresIn: 100,
  flow: flowOf("198.51.100.7", 40_000 + id),
  isBehindNat: true,
  ownerNode: "0123456789ab",
  userAgent: "phone/1.0",
  instance: "<urn:uuid:00000000-0000-4000-8000-000000000001>",
  regId: 1,
  nonceAt: 1_800_000_000_123,
  nonceCount: 7,
  registeredAt: 1_700_000_000_456,
  ...change,
});
const change = (aor: Aor, version: number, ...bindings: Binding[]): BindingChange => ({
  aor,
  version,
  bindings,
});

export function locationContract(name: string, open: () => Promise<LocationFixture>): void {
  describe(`location store: ${name}`, () => {
    let fixture: LocationFixture;
    let store: LocationStore;
    let other: LocationStore;

    beforeAll(async () => {
      fixture = await open();
      [store, other] = fixture.stores;
    });
    afterAll(() => fixture.stop());
    beforeEach(async () => {
      await fixture.clear();
      await fixture.addDomain("example.com", {
        realm: "realm of example",
        maxContacts: 3,
        onMaxContacts: "Reject",
      });
      await fixture.addUser("bob", "example.com", { ha1: "0123456789abcdef0123456789abcdef" });
    });

    const resolve = async (aor: Aor) => (await store.resolve([aor]))[0];
    const list = async (aor: Aor, from = store) => (await from.bindings([aor]))[0]?.bindings ?? [];
    const version = async (aor: Aor) => (await store.bindings([aor]))[0]?.version;

    describe("resolve", () => {
      it("a user: domain, credentials, settings", async () => {
        expect(await resolve(bob)).toMatchObject({
          domain: { name: "example.com", realm: "realm of example", isEnabled: true, algorithms: ["MD5"] },
          account: {
            ...bob,
            realm: "realm of example",
            isEnabled: true,
            ha1: "0123456789abcdef0123456789abcdef",
            password: undefined,
            registration: { maxContacts: 3, onMaxContacts: "Reject" },
          },
        }); // prettier-ignore
      });

      it("an unknown user has a domain, and an unserved domain has neither", async () => {
        expect(await resolve(nobody)).toMatchObject({ domain: { name: "example.com" }, account: undefined });
        expect(await resolve({ username: "bob", domain: "unserved.example" })).toEqual({
          domain: undefined,
          account: undefined,
        });
      });

      it("the user part is compared with case and with trailing spaces", async () => {
        for (const username of ["Bob", "bob ", ""])
          expect((await resolve({ username, domain: "example.com" }))?.account, username).toBeUndefined();
      });

      it("a plain password of another tool's row is returned unchanged", async () => {
        await fixture.addUser("carol", "example.com", { password: "secret" });
        expect((await resolve({ ...bob, username: "carol" }))?.account).toMatchObject({
          password: "secret",
          ha1: undefined,
        });
      });

      it("a disabled user and a disabled domain are not enabled", async () => {
        await fixture.addDomain("off.example", { isEnabled: false });
        await fixture.addUser("bob", "off.example", { isEnabled: false });
        expect(await resolve({ username: "bob", domain: "off.example" })).toMatchObject({
          domain: { isEnabled: false },
          account: { isEnabled: false },
        }); // prettier-ignore
      });

      it("a user's own limit takes precedence over the domain's", async () => {
        await fixture.addUser("carol", "example.com", { maxContacts: 1 });
        expect((await resolve({ ...bob, username: "carol" }))?.account?.registration.maxContacts).toBe(1);
      });

      it("a domain allows anonymous callers by default; an alias in another domain follows its user's domain", async () => {
        await fixture.addDomain("strict.example", { anonymousCallers: "Reject" });
        await fixture.addDomain("alias.example", { aliasOf: "strict.example" });
        await fixture.addUser("carol", "strict.example");
        await fixture.addAlias(
          { username: "300", domain: "example.com" },
          { username: "carol", domain: "strict.example" },
        );
        for (const [username, domain, anonymousCallers] of [
          ["bob", "example.com", "Allow"],
          ["carol", "strict.example", "Reject"],
          ["nobody", "strict.example", "Reject"],
          ["carol", "alias.example", "Reject"],
          ["300", "example.com", "Reject"],
        ] as const)
          expect((await resolve({ username, domain }))?.domain, `${username}@${domain}`).toMatchObject({
            anonymousCallers,
          });
      });

      it("aliases of users and of domains are resolved", async () => {
        await fixture.addDomain("alias.example", { aliasOf: "example.com" });
        await fixture.addAlias({ username: "100", domain: "example.com" }, bob);
        for (const username of ["bob", "100"])
          for (const domain of ["example.com", "alias.example"])
            expect(await resolve({ username, domain }), `${username}@${domain}`).toMatchObject({
              domain: { name: "example.com" },
              account: bob,
            }); // prettier-ignore
      });

      it("a batch of any names is answered in its order", async () => {
        await fixture.addUser("carol", "example.com");
        const carol = { ...bob, username: "carol" };
        const answers = await store.resolve([
          nobody,
          carol,
          bob,
          { ...bob, domain: "unserved.example" },
          carol,
        ]);
        expect(answers.map(({ account }) => account?.username)).toEqual([
          undefined,
          "carol",
          "bob",
          undefined,
          "carol",
        ]);
        expect(answers.map(({ domain }) => domain?.name)).toEqual([
          "example.com",
          "example.com",
          "example.com",
          undefined,
          "example.com",
        ]); // prettier-ignore
      });
    });

    describe("commit and read", () => {
      it("each store returns a binding as it was committed, and the version is raised", async () => {
        expect(await store.commit([change(bob, 0, binding(1))])).toEqual(["committed"]);
        expect(await version(bob)).toBe(1);
        for (const one of [store, other]) {
          const [read] = await list(bob, one);
          expect(read).toEqual({
            ...binding(1),
            expiresIn: expect.any(Number) as number,
            refreshedAt: expect.any(Number) as number,
          });
          expect(read?.refreshedAt).toBeGreaterThan(1_700_000_000_456);
          expect(read?.expiresIn).toBeGreaterThan(95);
          expect(read?.expiresIn).toBeLessThanOrEqual(100);
        }
      });

      it("a binding without NAT, instance and credentials too", async () => {
        const plain = binding(1, {
          isBehindNat: false,
          instance: undefined,
          regId: 0,
          nonceAt: 0,
          nonceCount: 0,
          ownerNode: "",
          q: 1000,
        });
        await store.commit([change(bob, 0, plain)]);
        expect((await list(bob))[0]).toMatchObject({ ...plain, expiresIn: expect.any(Number) as number });
      });

      it("UTF-8 and IPv6 are returned byte for byte", async () => {
        const utf8 = Buffer.from("sip:böb@[2001:db8::1]", "utf8").toString("latin1");
        const sent = binding(1, { contact: utf8, flow: flowOf("2001:db8::1", 5060) });
        await store.commit([change(bob, 0, sent)]);
        expect((await list(bob))[0]).toMatchObject({ contact: utf8, flow: sent.flow });
      });

      it("a new binding is registered since now; a refresh keeps the time of the registration", async () => {
        await store.commit([change(bob, 0, binding(1, { registeredAt: 0 }), binding(2))]);
        const [since = 0, then] = [...(await list(bob))]
          .sort((one, two) => Number(one.id) - Number(two.id))
          .map(({ registeredAt }) => registeredAt);
        expect([since > 1_750_000_000_000, then]).toEqual([true, 1_700_000_000_456]);
        await store.commit([
          change(bob, 1, binding(1, { registeredAt: since }), binding(2, { registeredAt: 0 })),
        ]);
        const read = await store.bindingsById([binding(1).id, binding(2).id]);
        expect([read[0]?.registeredAt, (read[1]?.registeredAt ?? 0) >= since]).toEqual([since, true]);
      });

      it("a binding with the same key is replaced", async () => {
        await store.commit([change(bob, 0, binding(1))]);
        const next = binding(1, { contact: "sip:bob@10.0.0.9", cseq: 5, callId: "call-new", nonceCount: 8 });
        expect(await store.commit([change(bob, 1, next)])).toEqual(["committed"]);
        const read = await list(bob);
        expect(read).toHaveLength(1);
        expect(read[0]).toMatchObject({ contact: next.contact, cseq: 5, callId: "call-new", nonceCount: 8 });
      });

      it("a removed and an expired binding are still returned, without remaining time", async () => {
        await store.commit([change(bob, 0, binding(1), binding(2))]);
        await store.commit([
          change(bob, 1, binding(1, { expiresIn: 0, cseq: 9 }), binding(2, { expiresIn: -30 })),
        ]);
        const read = await list(bob);
        expect(read.map(({ expiresIn }) => expiresIn <= 0)).toEqual([true, true]);
        expect(read.find(({ id }) => id === binding(1).id)?.cseq).toBe(9);
      });

      it("lists are in the order of the request, and empty without bindings", async () => {
        const carol = { ...bob, username: "carol" };
        await store.commit([change(bob, 0, binding(1)), change(carol, 0, binding(2), binding(3))]);
        const lists = await store.bindings([carol, nobody, bob]);
        expect(lists.map((one) => one.bindings.map(({ id }) => id).sort())).toEqual([
          [binding(2).id, binding(3).id],
          [],
          [binding(1).id],
        ]); // prettier-ignore
      });

      it("by id: in the order of the request, undefined for an unknown id", async () => {
        await store.commit([change(bob, 0, binding(1), binding(2))]);
        const read = await store.bindingsById([binding(2).id, "7", binding(1).id]);
        expect(read.map((one) => one?.id)).toEqual([binding(2).id, undefined, binding(1).id]);
        expect(read[0]).toMatchObject({ contact: binding(2).contact, nonceCount: 7 });
      });
    });

    describe("by contact", () => {
      const carol: Aor = { ...bob, username: "carol" };
      const ask = async (uri: string, limit = 9, from = store) =>
        [...(await from.bindingsByContact(contactKey(uri), limit))]
          .map(({ aor, binding: { id } }) => [aor, id] as const)
          .sort(([, a], [, b]) => (a < b ? -1 : 1));

      it("the current bindings of all users with that user, host and port, from either store", async () => {
        await store.commit([
          change(
            bob,
            0,
            binding(1, { contact: "sip:b@10.0.0.9:5060;x=y" }),
            binding(2, { contact: "sip:b@10.0.0.9:5062" }),
          ),
          change(
            carol,
            0,
            binding(3, { contact: "sip:%62@10.0.0.9" }),
            binding(4, { contact: "sip:B@10.0.0.9" }),
          ),
        ]);
        for (const one of [store, other])
          expect(await ask("sip:b@10.0.0.9", 9, one)).toEqual([
            [bob, binding(1).id],
            [carol, binding(3).id],
          ]);
        expect(
          (await store.bindingsByContact(contactKey("sip:b@10.0.0.9:5062"), 9))[0]?.binding,
        ).toMatchObject({
          contact: "sip:b@10.0.0.9:5062",
          flow: binding(2).flow,
          isBehindNat: true,
        });
        expect(await ask("sip:nobody@10.0.0.9")).toEqual([]);
        expect(await ask("sip:b@10.0.0.9", 1)).toHaveLength(1);
      });

      it("finds a changed contact, and no expired or removed one", async () => {
        await store.commit([change(bob, 0, binding(1, { contact: "sip:b@10.0.0.9" }))]);
        await store.commit([change(bob, 1, binding(1, { contact: "sip:b@10.0.0.10" }))]);
        expect([await ask("sip:b@10.0.0.9"), await ask("sip:b@10.0.0.10")]).toEqual([
          [],
          [[bob, binding(1).id]],
        ]);
        await store.commit([change(bob, 2, binding(1, { contact: "sip:b@10.0.0.10", expiresIn: 0 }))]);
        expect(await ask("sip:b@10.0.0.10")).toEqual([]);
      });
    });

    it("names are read in pages, in the order of their keys: domains, users, aliases", async () => {
      await fixture.addDomain("other.example");
      for (const username of ["carol", "Bob"]) await fixture.addUser(username, "example.com");
      await fixture.addUser("bob", "other.example");
      await fixture.addAlias({ username: "100", domain: "example.com" }, bob);
      for (const [kind, expected] of [
        ["domains", ["@example.com", "@other.example"]],
        ["users", ["Bob@example.com", "bob@example.com", "bob@other.example", "carol@example.com"]],
        ["aliases", ["100@example.com"]],
      ] as const) {
        const found: Aor[] = [];
        for (let pages = 0; pages < 9; pages++)
          found.push(...(await store.names(kind, found.at(-1) ?? { username: "", domain: "" }, 2)));
        expect(found.map(({ username, domain }) => `${username}@${domain}`)).toEqual(expected);
      }
    });

    it("a page of users is read as names are: users of a domain, of its alias, of none, and without a binding", async () => {
      await fixture.addDomain("alias.example", { aliasOf: "example.com" });
      await fixture.addUser("alice", "example.com");
      await fixture.addUser("bob", "alias.example");
      await fixture.addUser("carol", "nowhere.example");
      await fixture.addUser("dave", "example.com", { maxContacts: 3 });
      const dave = { username: "dave", domain: "example.com" };
      await store.commit([change(bob, 0, binding(1), binding(2)), change(dave, 0, binding(3))]);
      const names = await store.names("users", { username: "", domain: "" }, 9);
      expect(names).toHaveLength(5);
      expect(await store.resolve(names, true)).toEqual(await store.resolve(names));
      const byContact = (lists: readonly AorBindings[]) =>
        lists.map(({ version, bindings }) => ({
          version,
          contacts: bindings.map(({ contact }) => contact).sort(),
        }));
      expect(byContact(await store.bindings(names, true))).toEqual(byContact(await store.bindings(names)));
      const part = names.slice(1, 3);
      expect(byContact(await store.bindings(part, true))).toEqual(byContact(await store.bindings(part)));
      expect(await store.resolve(part, true)).toEqual(await store.resolve(part));
    });

    describe("targets of dialogs", () => {
      const target = (sideId: string, change: Partial<DialogTarget> = {}): DialogTarget => ({
        sideId,
        contactKey: "9223372036854775807",
        flow: flowOf("198.51.100.7", 4711),
        isBehindNat: true,
        ownerNode: "0123456789ab",
        ...change,
      });

      it("each store returns them unchanged, in the order of the request; the last one replaces the others", async () => {
        const longest = "9223372036854775806";
        await store.storeDialogTargets([target("1"), target(longest, { flow: flowOf("2001:db8::1", 5060) })]);
        await other.storeDialogTargets([target("1", { isBehindNat: false, ownerNode: "", contactKey: "0" })]);
        for (const one of [store, other])
          expect(await one.dialogTargets([longest, "2", "1"])).toEqual([
            target(longest, { flow: flowOf("2001:db8::1", 5060) }),
            undefined,
            target("1", { isBehindNat: false, ownerNode: "", contactKey: "0" }),
          ]);
      });
    });

    describe("two nodes change one address of record (design-sip rule 12)", () => {
      it.each([0, 1])(
        "from version %i exactly one commits, the other conflicts and changes nothing",
        async (from) => {
          if (from === 1) await store.commit([change(bob, 0, binding(9))]);
          const outcomes = await Promise.all([
            store.commit([change(bob, from, binding(1))]),
            other.commit([change(bob, from, binding(2))]),
          ]);
          expect(outcomes.flat().sort()).toEqual(["committed", "conflict"]);
          expect(await version(bob)).toBe(from + 1);
          const winner = outcomes[0][0] === "committed" ? binding(1).id : binding(2).id;
          expect((await list(bob)).map(({ id }) => id).filter((id) => id !== binding(9).id)).toEqual([
            winner,
          ]);
        },
      );

      it("a lower version conflicts, and so does a higher one", async () => {
        await store.commit([change(bob, 0, binding(1))]);
        await store.commit([change(bob, 1, binding(1))]);
        for (const old of [0, 1])
          expect(await other.commit([change(bob, old, binding(3))]), String(old)).toEqual(["conflict"]);
        expect(await list(bob)).toHaveLength(1);
      });

      it("many concurrent changes from many versions: the version is the number of commits", async () => {
        let commits = 0;
        await Promise.all(
          [store, other, store, other].map(async (one, i) => {
            for (let attempt = 0; attempt < 40; attempt++) {
              const seen = (await one.bindings([bob]))[0]?.version ?? 0;
              const [outcome] = await one.commit([change(bob, seen, binding(i + 1))]);
              if (outcome !== "committed") continue;
              commits += 1;
              return;
            }
          }),
        );
        expect(commits).toBe(4);
        expect(await version(bob)).toBe(4);
        expect(await list(bob)).toHaveLength(4);
      });
    });

    describe("a change of a batch does not fail because of another one (rule 12)", () => {
      const users = ["u1", "u2", "u3", "u4", "u5"].map((username) => ({ username, domain: "example.com" }));

      it("only the change with a row that cannot be stored fails", async () => {
        const changes = users.map((aor, i) =>
          change(aor, 0, binding(i + 1, i === 2 ? { callId: "x".repeat(300) } : {})),
        );
        const outcomes = await store.commit(changes);
        expect(outcomes.map((outcome) => (typeof outcome === "string" ? outcome : "failed"))).toEqual([
          "committed",
          "committed",
          "failed",
          "committed",
          "committed",
        ]); // prettier-ignore
        expect((await store.bindings(users)).map((one) => one.bindings.length)).toEqual([1, 1, 0, 1, 1]);
      });

      it("only the change with an outdated version conflicts", async () => {
        await other.commit([change(users[3] as Aor, 0, binding(30))]);
        const outcomes = await store.commit(users.map((aor, i) => change(aor, 0, binding(i + 1))));
        expect(outcomes).toEqual(["committed", "committed", "committed", "conflict", "committed"]);
        expect((await store.bindings(users)).map((one) => one.bindings.length)).toEqual([1, 1, 1, 1, 1]);
      });

      it("a batch may have new and known addresses of record", async () => {
        await store.commit([change(users[1] as Aor, 0, binding(2)), change(users[4] as Aor, 0, binding(5))]);
        const outcomes = await store.commit(
          users.map((aor, i) => change(aor, i === 1 || i === 4 ? 1 : 0, binding(i + 1))),
        );
        expect(outcomes).toEqual(users.map(() => "committed"));
      });

      it("a change of several bindings is atomic", async () => {
        const [outcome] = await store.commit([
          change(bob, 0, binding(1), binding(2, { callId: "x".repeat(300) }), binding(3)),
        ]);
        expect(outcome).toHaveProperty("unfit");
        expect(await list(bob)).toEqual([]);
      });
    });
  });
}
