/** What a node reads before it is ready. */
import { expect, it } from "vitest";
import type { Aor } from "./account.ts";
import { warmCopy } from "./warm-copy.ts";

const user = (username: string, domain = "example.com"): Aor => ({ username, domain });

/** Reads pages of users, and records what was begun. The time advances by one second with each page. */
async function warm(pages: readonly (readonly Aor[])[], timeLimit = 100_000): Promise<string[]> {
  const begun: string[] = [];
  let now = 0;
  const record = (what: string) => async (names: readonly Aor[], isPage: boolean) =>
    void begun.push(`${what} ${names.map((name) => `${name.username}@${name.domain}`).join()} ${isPage}`);
  await warmCopy(
    {
      store: {
        names: async (kind, after) => {
          if (kind !== "users") return [];
          now += 1_000;
          begun.push(`names after ${after.username}`);
          return pages[pages.findIndex((page) => page.at(-1)?.username === after.username) + 1] ?? [];
        },
      },
      users: { copy: { size: 0 }, readNames: record("users") },
      lookups: { readUsers: record("bindings") },
      now: () => now,
      maxCopied: 1_000,
    },
    timeLimit,
  );
  return begun;
}

it("the next page is begun before what this page has", async () => {
  expect(await warm([[user("a"), user("b")], [user("c")]])).toEqual([
    "names after ",
    "names after b",
    "users a@example.com,b@example.com true",
    "bindings a@example.com,b@example.com true",
    "names after c",
    "users c@example.com true",
    "bindings c@example.com true",
  ]);
});

it("a page with a domain in upper case is no range of keys", async () => {
  expect(await warm([[user("a"), user("b", "Example.com")]])).toContain(
    "bindings a@example.com,b@example.com false",
  );
});

it("no page begins after the time limit", async () => {
  const begun = await warm([[user("a")], [user("b")], [user("c")]], 2_000);
  expect(begun.filter((what) => what.startsWith("bindings"))).toEqual(["bindings a@example.com true"]);
});
