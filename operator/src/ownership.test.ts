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

test("rules 5 and 6: who observes deletes nothing, whatever the spec says; else the spec, then who made the rows", () => {
  const policies: readonly AdoptionPolicy[] = ["Never", "Adopt", "Enforce"];
  for (const said of [undefined, "Delete", "Retain"] as const)
    for (const isAdopted of [false, true]) {
      expect(resolveDeletionPolicy(said, "Observe", isAdopted)).toBe("Retain");
      for (const policy of policies)
        expect(resolveDeletionPolicy(said, policy, isAdopted)).toBe(
          said ?? (isAdopted ? "Retain" : "Delete"),
        );
    }
});

test("rule 3: rows are this object's by its uid; of an earlier one's only a live read tells", () => {
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

test("a conflict is about the first name of somebody else's, and names the owner in its own namespace only", () => {
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

test("the generation alone makes no other owner", () => {
  expect(isSameOwner(owner, { ...owner, generation: 9 })).toBe(true);
  expect(isSameOwner(undefined, owner)).toBe(false);
  for (const other of [{ uid: "u2" }, { deletionPolicy: "Retain" as const }, { fields: { a: [2] } }])
    expect(isSameOwner(owner, { ...owner, ...other })).toBe(false);
});
