/** Which accounts the user names of a request's credentials may stand for: a user of the domain at hand, or an address of a served one. */
import { digestLogins } from "../wire/digest-credentials.ts";
import type { Request } from "../wire/message.ts";
import { wireText } from "../wire/wire-text.ts";
import { type Account, type Aor, aorText } from "./account.ts";
import type { Lookup } from "./location.ts";
import { rowText } from "./row-text.ts";

/** An enabled account of an enabled domain, by the user name that the credentials have on the wire. */
export interface KnownLogin {
  readonly name: string;
  readonly account: Account;
}

/**
 * Looks up every user name of the field in `domain`, and one with "@" as an address too (OpenSIPS: `ha1b`). Which names are looked up depends
 * on the request alone, all in one round trip, so that the time says nothing about who exists. An alias of a user is no login.
 */
export async function findLogins(
  request: Request,
  field: "authorization" | "proxy-authorization",
  domain: string,
  lookup: Pick<Lookup, "resolve">,
): Promise<readonly KnownLogin[]> {
  const names = [...new Set(digestLogins(request, field).map(({ username }) => username))];
  const found = await Promise.all(
    names.flatMap((name) =>
      candidates(name, domain).map(async (aor) => {
        const { domain: its, account } = await lookup.resolve(aor);
        const isLogin =
          its?.isEnabled === true && account?.isEnabled === true && account.username === aor.username;
        return isLogin ? [{ name, account }] : [];
      }),
    ),
  );
  return found.flat();
}

/** The names by which this account logs in, also where it was found under an alias of another domain. */
export const loginsOf = (account: Account | undefined): readonly KnownLogin[] =>
  account?.isEnabled === true
    ? [account.username, aorText(account)].map((name) => ({ name: wireText(name), account }))
    : [];

function candidates(name: string, domain: string): readonly Aor[] {
  const text = rowText(name);
  if (text === undefined) return [];
  const at = text.lastIndexOf("@");
  const address = { username: text.slice(0, at), domain: text.slice(at + 1).toLowerCase() };
  return at < 1 ? [{ username: text, domain }] : [{ username: text, domain }, address];
}
