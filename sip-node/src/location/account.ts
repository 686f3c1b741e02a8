/** The users that may register and be called: rows of `domain` and `subscriber` with their side rows. */
import type { Seconds } from "../wire/units.ts";

/** An address of record: user part unescaped, case kept; domain in lower case. */
export interface Aor {
  readonly username: string;
  readonly domain: string;
}

export const isSameAor = (aor: Aor, other: Aor | undefined): boolean =>
  aor.username === other?.username && aor.domain === other.domain;

export const aorText = (aor: Aor): string => `${aor.username}@${aor.domain}`;

/** A served domain, by its canonical name. */
export interface Domain {
  readonly name: string;
  readonly realm: string;
  readonly isEnabled: boolean;
  readonly registration: RegistrationSettings;
  /** Digest algorithms offered, in order of preference: "MD5", "SHA-256". */
  readonly algorithms: readonly ("MD5" | "SHA-256")[];
  /** Whether a caller that hides its identity may call its users (RFC 5079). */
  readonly anonymousCallers: AnonymousCallers;
}

export type AnonymousCallers = "Allow" | "Reject";

/** A disabled domain is not served. */
export const isServed = (domain: Domain | undefined): domain is Domain => domain?.isEnabled === true;

/** A user of a served domain. Exactly one of `ha1` and `password` is set in most rows; with neither, the user cannot log in. */
export interface Account extends Aor {
  readonly realm: string;
  readonly isEnabled: boolean;
  readonly ha1: string | undefined;
  readonly ha1Sha256: string | undefined;
  /** The same two for the login name username@domain. */
  readonly ha1b: string | undefined;
  readonly ha1bSha256: string | undefined;
  /** Plain text of a row that another tool wrote. */
  readonly password: string | undefined;
  readonly algorithms: readonly ("MD5" | "SHA-256")[];
  readonly registration: RegistrationSettings;
}

export interface RegistrationSettings {
  readonly minExpires: Seconds;
  readonly defaultExpires: Seconds;
  readonly maxExpires: Seconds;
  readonly maxContacts: number;
  /** Whether one contact more replaces another one or is refused (docs/adr/0024). */
  readonly onMaxContacts: OnMaxContacts;
}

export type OnMaxContacts = "ReplaceOldest" | "Reject";

export const defaultRegistration: RegistrationSettings = {
  minExpires: 60,
  defaultExpires: 3600,
  maxExpires: 7200,
  maxContacts: 10,
  onMaxContacts: "ReplaceOldest",
};

/** The domain and user that a name refers to, after aliases of users and domains are resolved. */
export interface Resolution {
  /** Undefined: the domain is not served here. */
  readonly domain: Domain | undefined;
  /** Undefined: the domain has no such user. */
  readonly account: Account | undefined;
}
