import { expect, it } from "vitest";
import { StoreUnavailable } from "../../location/location-store.ts";
import { CommitFence } from "./commit-fence.ts";
import type { Row } from "./database.ts";

/** `members`: whether the row of the node is found unmarked, at each attempt. `valid`: whether the term still runs then. */
function fenceOf(members: readonly boolean[], valid: readonly boolean[] = [], mayEnter = true) {
  const did: string[] = [];
  let attempt = -1;
  const fence = new CommitFence("a".repeat(12), {
    protocol: {
      enter: () => {
        attempt += 1;
        const permit = { isValid: () => valid[attempt] ?? true, end: () => void did.push("end") };
        return Promise.resolve(mayEnter ? permit : undefined);
      },
    },
    rejoin: () => Promise.resolve(void did.push("join")),
    pause: () => Promise.resolve(),
  });
  const commit = () =>
    fence.run((membership) => {
      expect(membership.statement).toContain(`'${"a".repeat(12)}' AND gone = 0 FOR UPDATE`);
      const may = membership.passes(members[attempt] === true ? [{ found: 1 } as Row] : []);
      did.push(may ? "commit" : "roll back");
      return Promise.resolve(may);
    });
  return { commit, did };
}

it("a member commits", async () => {
  const { commit, did } = fenceOf([true]);
  expect([await commit(), did]).toEqual([true, ["commit", "end"]]);
});

it("a node that is marked gone rolls back, joins again, and commits then", async () => {
  const { commit, did } = fenceOf([false, true]);
  expect([await commit(), did]).toEqual([true, ["roll back", "end", "join", "commit", "end"]]);
});

it("a commit that began before the node joined again is rolled back, although its row is not marked any more", async () => {
  const { commit, did } = fenceOf([true, true], [false]);
  expect([await commit(), did]).toEqual([true, ["roll back", "end", "join", "commit", "end"]]);
});

it("a node that is always marked gone, or may not write in time, counts as without a database", async () => {
  await expect(fenceOf([]).commit()).rejects.toThrow(StoreUnavailable);
  const { commit, did } = fenceOf([true], [], false);
  await expect(commit()).rejects.toThrow(StoreUnavailable);
  expect(did).toEqual([]);
});
