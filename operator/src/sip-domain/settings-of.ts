/** The row of `strowger_domain` for one of a SipDomain's names. Pure. */
import type { DomainSettings } from "../adapters/mysql/domain-rows.ts";
import type { SipDomain } from "./resource.ts";

const nothing = {
  realm: null,
  minExpires: null,
  defaultExpires: null,
  maxExpires: null,
  maxContacts: null,
  onMaxContacts: null,
  algorithms: null,
  anonymousCallers: null,
};

/** `found` is the present row. With adoptionPolicy Adopt, its values stay where the spec does not set them. */
export function settingsOf(
  { domain, realm, isEnabled, registration, algorithms, anonymousCallers, adoptionPolicy }: SipDomain,
  name: string,
  found: DomainSettings | undefined,
): DomainSettings {
  if (name !== domain) return { domain: name, aliasOf: domain, isEnabled: true, ...nothing };
  const present = adoptionPolicy === "Adopt" && found !== undefined ? found : nothing;
  return {
    domain,
    aliasOf: null,
    realm,
    isEnabled,
    minExpires: registration.minExpiresSeconds ?? present.minExpires,
    defaultExpires: registration.defaultExpiresSeconds ?? present.defaultExpires,
    maxExpires: registration.maxExpiresSeconds ?? present.maxExpires,
    maxContacts: registration.maxContacts ?? present.maxContacts,
    onMaxContacts: registration.onMaxContacts ?? present.onMaxContacts,
    algorithms: algorithms?.join(",") ?? present.algorithms,
    anonymousCallers: anonymousCallers ?? present.anonymousCallers,
  };
}
