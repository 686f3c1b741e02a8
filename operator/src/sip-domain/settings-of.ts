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

/** `found` is the row as it is: who adopts leaves there what the spec does not say. */
export function settingsOf(
  { domain, realm, isEnabled, registration, algorithms, anonymousCallers, adoptionPolicy }: SipDomain,
  name: string,
  found: DomainSettings | undefined,
): DomainSettings {
  if (name !== domain) return { domain: name, aliasOf: domain, isEnabled: true, ...nothing };
  const left = adoptionPolicy === "Adopt" && found !== undefined ? found : nothing;
  return {
    domain,
    aliasOf: null,
    realm,
    isEnabled,
    minExpires: registration.minExpiresSeconds ?? left.minExpires,
    defaultExpires: registration.defaultExpiresSeconds ?? left.defaultExpires,
    maxExpires: registration.maxExpiresSeconds ?? left.maxExpires,
    maxContacts: registration.maxContacts ?? left.maxContacts,
    onMaxContacts: registration.onMaxContacts ?? left.onMaxContacts,
    algorithms: algorithms?.join(",") ?? left.algorithms,
    anonymousCallers: anonymousCallers ?? left.anonymousCallers,
  };
}
