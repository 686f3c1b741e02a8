/** The accounts that the user names in a request's credentials refer to: users of this domain, or full addresses of served domains. */
import { digestLogins } from "../wire/digest-credentials.ts";
import type { Request } from "../wire/message.ts";
import { toWireText } from "../wire/wire-text.ts";
import { type Account, type Aor, aorText } from "./account.ts";
import type { Lookup } from "./lookup.ts";
import { toRowText } from "./row-text.ts";

/** An enabled account of an enabled domain, with the user name in the credentials (wire text). */
export interface KnownLogin {
  readonly name: string;
  readonly account: Account;
}

/**
 * Looks up every user name of the field in `domain`, and one with "@" also as an address (OpenSIPS: `ha1b`). The request alone decides which
 * names are looked up, all in one round trip. So the response time does not show which users exist. An alias of a user is not a login.
 *
 * `known`: the caller looks up this user itself, and has the login with its plain name from `loginsOf`.
 */
export function findLogins(
  request: Request,
  field: "authorization" | "proxy-authorization",
  domain: string,
  lookup: Pick<Lookup, "resolve">,
  known?: Aor,
): readonly KnownLogin[] | Promise<readonly KnownLogin[]> {
  const searches = namesOf(request, field)
    .flatMap((name) => candidates(name, domain).map((aor) => ({ name, aor })))
    .filter(({ name, aor }) => known === undefined || !isPlainLogin(name, aor, known));
  return searches.length === 0 ? [] : resolveLogins(searches, lookup);
}

const isPlainLogin = (name: string, aor: Aor, user: Aor): boolean =>
  aor.domain === user.domain && aor.username === user.username && name === toWireText(user.username);

async function resolveLogins(
  searches: readonly { readonly name: string; readonly aor: Aor }[],
  lookup: Pick<Lookup, "resolve">,
): Promise<readonly KnownLogin[]> {
  const found = await Promise.all(
    searches.map(async ({ name, aor }) => {
      const { domain, account } = await lookup.resolve(aor);
      const isLogin =
        domain?.isEnabled === true && account?.isEnabled === true && account.username === aor.username;
      return isLogin ? [{ name, account }] : [];
    }),
  );
  return found.flat();
}

/** The user names of the field, each once. */
const namesOf = (request: Request, field: "authorization" | "proxy-authorization"): readonly string[] => [
  ...new Set(digestLogins(request, field).map(({ username }) => username)),
];

/** The names that `findLogins` looks up. */
export const loginNames = (
  request: Request,
  field: "authorization" | "proxy-authorization",
  domain: string,
): readonly Aor[] => namesOf(request, field).flatMap((name) => candidates(name, domain));

/** The login names of this account, also when it was found by an alias of another domain. */
export const loginsOf = (account: Account | undefined): readonly KnownLogin[] =>
  account?.isEnabled === true
    ? [account.username, aorText(account)].map((name) => ({ name: toWireText(name), account }))
    : [];

function candidates(name: string, domain: string): readonly Aor[] {
  const text = toRowText(name);
  if (text === undefined) return [];
  const at = text.lastIndexOf("@");
  const address = { username: text.slice(0, at), domain: text.slice(at + 1).toLowerCase() };
  return at < 1 ? [{ username: text, domain }] : [{ username: text, domain }, address];
}
