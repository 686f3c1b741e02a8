import { expect, test } from "vitest";
import {
  claimConflict,
  describeOwner,
  olderObjectConflict,
  isHeldBy,
  isSameOwner,
  resolveDeletionPolicy,
  determineOwnership,
  type AdoptionPolicy,
  type Claim,
  type Owner,
} from "./ownership.ts";

const reference = { kind: "SipUser", namespace: "ns", name: "alice" };
const claim: Claim = { kind: "user", name: "alice@example.com", installationId: "i", owner: reference };
const owner: Owner = { reference, uid: "u1", generation: 1, deletionPolicy: "Delete", fields: { a: [1] } };

test("rules 5 and 6: an observer deletes nothing; otherwise the spec decides, then who made the rows", () => {
  const policies: readonly AdoptionPolicy[] = ["Never", "Adopt", "Enforce"];
  for (const specified of [undefined, "Delete", "Retain"] as const)
    for (const isAdopted of [false, true]) {
      expect(resolveDeletionPolicy(specified, "Observe", isAdopted)).toBe("Retain");
      for (const policy of policies)
        expect(resolveDeletionPolicy(specified, policy, isAdopted)).toBe(
          specified ?? (isAdopted ? "Retain" : "Delete"),
        );
    }
});

test("rule 3: rows belong to this object by its uid; only a live read proves that an earlier object is gone", () => {
  expect(determineOwnership(undefined, "u1", undefined)).toBe("none");
  expect(determineOwnership(owner, "u1", undefined)).toBe("own");
  expect(determineOwnership(owner, "u2", { is: "present", uid: "u2" })).toBe("inherited");
  for (const present of [undefined, { is: "absent" }, { is: "present", uid: "u3" }] as const)
    expect(determineOwnership(owner, "u2", present)).toMatchObject({
      status: "False",
      reason: "OwnerUnproven",
    });
  const unknown = determineOwnership(owner, "u2", { is: "unknown", why: "no answer" });
  expect(unknown).toMatchObject({ message: expect.stringMatching(/: no answer$/) as unknown });
});

test("rule 2: a claim is held by installation, kind, namespace and name together", () => {
  expect(isHeldBy(claim, "i", reference)).toBe(true);
  expect(isHeldBy(claim, "j", reference)).toBe(false);
  for (const other of [{ kind: "SipDomain" }, { namespace: "far" }, { name: "bob" }])
    expect(isHeldBy(claim, "i", { ...reference, ...other })).toBe(false);
});

test("a conflict names the first name of another object, and its owner only in the same namespace", () => {
  const theirs = { ...claim, name: "100@example.com", owner: { ...reference, name: "bob" } };
  expect(claimConflict([claim], "i", reference)).toBeUndefined();
  const conflict = claimConflict([claim, theirs], "i", reference);
  expect(conflict).toMatchObject({ reason: "Conflict", message: expect.stringContaining("100@") as unknown });
  expect(conflict?.message).toContain("SipUser bob");
  expect(describeOwner(theirs, "far")).toBe("an object of another namespace");
  expect(olderObjectConflict([], reference)).toBeUndefined();
  expect(olderObjectConflict([theirs], reference)?.message).toContain(
    "100@example.com is left to SipUser bob",
  );
});

test("another generation alone is no other owner", () => {
  expect(isSameOwner(owner, { ...owner, generation: 9 })).toBe(true);
  expect(isSameOwner(undefined, owner)).toBe(false);
  for (const other of [{ uid: "u2" }, { deletionPolicy: "Retain" as const }, { fields: { a: [2] } }])
    expect(isSameOwner(owner, { ...owner, ...other })).toBe(false);
});
