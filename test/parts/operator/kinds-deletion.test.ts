/** What the deletion of SipDomains and SipUsers removes from a real MariaDB (design-kubernetes rules 3, 5 and 6). */
import { expect, test } from "vitest";
import type { ObjectKey } from "../../../operator/src/runtime/object.ts";
import {
  clock,
  createDomainAndUser,
  deleted,
  domains,
  domainSpec,
  installations,
  mariadb,
  reconcile,
  source,
  subscribers,
  users,
  userSpec,
} from "./kinds-setup.ts";

const finalizersOf = (kind: string, key: ObjectKey): readonly string[] =>
  source.get(kind, key)?.metadata.finalizers ?? [];

test("rule 6: a deleted user is removed by its owner row alone, without its Secret, its domain or an earlier reconcile", async () => {
  await createDomainAndUser();
  expect(finalizersOf("SipUser", "voice/alice")).toEqual(["sip.strowger.dev/rows"]);
  source.secrets.delete("voice/secret");
  source.remove("SipDomain", "voice", "example");
  deleted("SipUser", "voice/alice");
  expect(await users.finalize(source.get("SipUser", "voice/alice")!, 0)).toEqual({ isDone: true });
  expect(await subscribers()).toEqual([]);
  expect(await mariadb.query("SELECT * FROM strowger_owner WHERE kind = 'SipUser'")).toEqual([]);
  expect(await mariadb.query("SELECT * FROM strowger_claim WHERE kind = 'user'")).toEqual([]);
});

test("rule 5: an object that was never reconciled deletes nothing, not even rows of an earlier object with its name", async () => {
  await createDomainAndUser();
  source.put("SipUser", "voice", "twin", userSpec("alice"));
  expect((await reconcile("SipUser", "voice/twin")).reason).toBe("Conflict");
  deleted("SipUser", "voice/twin");
  expect(await users.finalize(source.get("SipUser", "voice/twin")!, 0)).toEqual({ isDone: true });
  source.remove("SipUser", "voice", "alice");
  source.put("SipUser", "voice", "alice", userSpec("alice"), {
    uid: "new",
    finalizers: ["sip.strowger.dev/rows"],
  });
  deleted("SipUser", "voice/alice");
  expect(await users.finalize(source.get("SipUser", "voice/alice")!, 0)).toEqual({ isDone: true });
  expect(await subscribers()).toEqual(["alice"]);
});

test("rule 6: an unavailable database delays a deletion for 30 s; then an Event reports that its rows are deleted later", async () => {
  await createDomainAndUser();
  deleted("SipUser", "voice/alice");
  const alice = source.get("SipUser", "voice/alice")!;
  await mariadb.crash();
  try {
    expect(await users.finalize(alice, 0)).toEqual({ isDone: false, requeueAfter: 2_000 });
    expect(await users.finalize(alice, 29_000)).toMatchObject({ isDone: false });
    expect(await users.finalize(alice, 30_000)).toEqual({ isDone: true });
    expect(source.events.at(-1)).toMatchObject({ type: "Warning", reason: "RowsKept", name: "alice" });
  } finally {
    await mariadb.restart();
  }
  await expect
    .poll(async () => {
      clock.advance(1_000); // the delay after a failed connect
      return (await users.owned()).keys;
    })
    .toEqual(["voice/alice"]);
  await users.remove("voice/alice"); // as the sweep does
  expect(await subscribers()).toEqual([]);
});

test("rule 6: without its SipCluster an object's finalizer is removed at once, with an Event", async () => {
  await createDomainAndUser();
  source.remove("SipCluster", "voice", "main");
  installations.changed({ kind: "SipCluster", key: "voice/main", what: "object" });
  deleted("SipDomain", "voice/example");
  expect(await domains.finalize(source.get("SipDomain", "voice/example")!, 0)).toEqual({ isDone: true });
  expect(source.events.at(-1)).toMatchObject({ reason: "RowsKept" });
});

test("with deletionPolicy Retain no finalizer is added, and an existing one is removed", async () => {
  await createDomainAndUser();
  source.put("SipUser", "voice", "alice", userSpec("alice", { deletionPolicy: "Retain" }));
  await reconcile("SipUser", "voice/alice");
  expect(finalizersOf("SipUser", "voice/alice")).toEqual([]);
  source.remove("SipUser", "voice", "alice");
  await users.remove("voice/alice");
  expect(await subscribers()).toEqual(["alice"]);
  expect((await users.owned()).keys).toEqual([]);
});

test.each([
  ["finalizer", async () => void (await users.finalize(source.get("SipUser", "voice/gina")!, 0))],
  ["sweep", () => users.remove("voice/gina")],
])("deletionPolicy Retain keeps the generated password with the row: %s", async (_what, remove) => {
  source.put("SipDomain", "voice", "example", domainSpec());
  await reconcile("SipDomain", "voice/example");
  const spec = { passwordSecretRef: undefined, generatePassword: true, deletionPolicy: "Retain" };
  source.put("SipUser", "voice", "gina", userSpec("gina", spec));
  expect((await reconcile("SipUser", "voice/gina")).reason).toBe("Reconciled");
  deleted("SipUser", "voice/gina");
  await remove();
  expect((await users.owned()).keys).toEqual([]);
  expect(await subscribers()).toEqual(["gina"]);
  expect(source.secrets.has("voice/gina-sip-password")).toBe(true);
});

test("rule 3: a restored object with a new uid takes over its rows when the old object is proven absent", async () => {
  await createDomainAndUser();
  source.remove("SipUser", "voice", "alice");
  source.put("SipUser", "voice", "alice", userSpec("alice"), { uid: "restored" });
  source.presences.set("SipUser voice/alice", { is: "unknown", why: "the API server is away" });
  expect(await reconcile("SipUser", "voice/alice")).toMatchObject({ reason: "OwnerUnproven" });
  source.presences.clear();
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("Reconciled");
  expect(await mariadb.query("SELECT uid FROM strowger_owner WHERE kind = 'SipUser'")).toEqual([
    { uid: "restored" },
  ]);
});

test("a domain that is being deleted has no users", async () => {
  await createDomainAndUser();
  deleted("SipDomain", "voice/example");
  expect((await reconcile("SipUser", "voice/alice")).reason).toBe("DomainNotFound");
  await domains.finalize(source.get("SipDomain", "voice/example")!, 0);
  expect(await mariadb.query("SELECT * FROM domain")).toEqual([]);
});
