/**
 * The copy of a node that starts (docs/adr/0045): reads all domains, users, aliases and bindings, page by page. The next page of names is read
 * together with what the names of this page have.
 */
import type { Ms } from "../wire/units.ts";
import type { Aor } from "./account.ts";
import type { LocationStore, NameKind } from "./location-store.ts";

export interface WarmCopyDependencies {
  readonly store: Pick<LocationStore, "names">;
  readonly users: {
    readonly copy: { readonly size: number };
    readNames(names: readonly Aor[], isPage: boolean): Promise<unknown>;
  };
  readonly lookups: { readUsers(users: readonly Aor[], isPage: boolean): Promise<unknown> };
  /** Monotonic. */
  now(): Ms;
  readonly maxCopied: number;
}

/** Below 128 names, the round trips take longer than the rows. Above 256, pages get hardly faster, and each blocks the event loop longer. */
const pageSize = 256;

/** Ends at the time limit, or when the copy is full. Rejects when a page cannot be read. */
export async function warmCopy(deps: WarmCopyDependencies, timeLimit: Ms): Promise<void> {
  const end = deps.now() + timeLimit;
  for (const kind of ["domains", "users", "aliases"] as const) await warmKind(kind, end, deps);
}

async function warmKind(kind: NameKind, end: Ms, deps: WarmCopyDependencies): Promise<void> {
  const { store, users, maxCopied } = deps;
  let names = await store.names(kind, { username: "", domain: "" }, pageSize);
  for (
    let last = names[names.length - 1];
    last !== undefined && deps.now() < end && users.copy.size + pageSize <= maxCopied;
    last = names[names.length - 1]
  )
    [names] = await Promise.all([store.names(kind, last, pageSize), readPage(kind, names, deps)]);
}

function readPage(
  kind: NameKind,
  names: readonly Aor[],
  { users, lookups }: WarmCopyDependencies,
): Promise<unknown> {
  const page = names.map(({ username, domain }) => ({ username, domain: domain.toLowerCase() }));
  if (kind !== "users") return users.readNames(page, false);
  // A key in upper case may be at another place in the order of the keys
  const isPage = page.every(({ domain }, i) => domain === names[i]?.domain);
  return Promise.all([users.readNames(page, isPage), lookups.readUsers(page, isPage)]);
}
