/**
 * Contact values of a REGISTER (RFC 3261 §20.10; RFC 5626 §4.1 `+sip.instance`, `reg-id`).
 *
 *   contact-params = c-p-q / c-p-expires / contact-extension
 *
 * A contact is the address of a phone. §10.2.1 allows any URI. One that is not a SIP URI is refused, because no call could reach it.
 */
import { parseDigits } from "./characters.ts";
import { maxContactBytes, maxContactsPerRegister } from "./limits.ts";
import { parseList } from "./list-values.ts";
import type { Request } from "./message.ts";
import { parameter, parseNameAddr } from "./name-addr.ts";
import { isProblem, type ParseProblem, problem } from "./problem.ts";
import type { Seconds } from "./units.ts";
import { parseUri } from "./uri.ts";

export interface Contact {
  readonly uri: string;
  /** 0 to 1000, in thousandths; undefined: absent. */
  readonly q: number | undefined;
  readonly expires: Seconds | undefined;
  /** With its angle brackets, as in `location.sip_instance`. */
  readonly instance: string | undefined;
  readonly regId: number;
}

/** "*" alone removes all bindings (§10.2.2). */
export type Contacts =
  | { readonly kind: "list"; readonly contacts: readonly Contact[] }
  | { readonly kind: "star" };

export function parseContacts(request: Request): Contacts | ParseProblem {
  const values = parseList(request, "contact", parseContact);
  if (isProblem(values)) return values;
  if (values.some((contact) => contact === "*"))
    return values.length === 1 ? { kind: "star" } : problem('Contact: "*" is not the only contact');
  if (values.length > maxContactsPerRegister)
    return problem(`${values.length} contacts, at most ${maxContactsPerRegister}`);
  return { kind: "list", contacts: values.filter((contact) => contact !== "*") };
}

function parseContact(text: string, from: number, to: number): Contact | "*" | ParseProblem {
  if (text.slice(from, to).trim() === "*") return "*";
  const address = parseNameAddr(text, from, to, "Contact");
  if (isProblem(address)) return address;
  if (address.uri.length > maxContactBytes)
    return problem(`Contact has ${address.uri.length} bytes, at most ${maxContactBytes}`, from);
  const uri = parseUri(address.uri);
  if (isProblem(uri)) return problem(`Contact: ${uri.reason}`, from);
  const q = parseQ(parameter(address.parameters, "q"));
  if (q === null) return problem("Contact: q is not 0 to 1 with three digits", from);
  const expiresText = parameter(address.parameters, "expires");
  const regIdText = parameter(address.parameters, "reg-id");
  const regId = regIdText === undefined ? 0 : parseDigits(regIdText, 2_147_483_647);
  if (regId < 0) return problem(`Contact: reg-id "${regIdText?.slice(0, 32)}" is not a number`, from);
  const instance = parameter(address.parameters, "+sip.instance") || undefined;
  return {
    uri: address.uri,
    q,
    expires: expiresText === undefined ? undefined : parseExpires(expiresText),
    instance,
    regId: instance === undefined ? 0 : regId,
  };
}

/** delta-seconds. A malformed value counts as 3600, and one above 2^32-1 as 2^32-1 (§20.10, §10.3 step 6 "default"). */
export function parseExpires(text: string): Seconds {
  if (!/^\d+$/.test(text)) return 3600;
  return Math.min(Number(text), 4_294_967_295);
}

function parseQ(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined;
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Math.round(Number(text) * 1000) : null;
}
