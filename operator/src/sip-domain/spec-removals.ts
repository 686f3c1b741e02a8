/** The removals in a spec, from rows that the SipDomain owns. They are carried out even while the spec is refused (ADR 33). Pure. */
import type { DomainRows } from "./current-state.ts";
import type { DomainAction } from "./domain-action.ts";
import type { SipDomain } from "./resource.ts";
import { settingsOf } from "./settings-of.ts";

/** Removes unlisted aliases with their names, and switches a disabled domain off. */
export function specRemovals(domain: SipDomain, state: DomainRows): readonly DomainAction[] {
  return [...removeUnlistedAliases(domain, state), ...(domain.isEnabled ? [] : disableDomain(domain, state))];
}

export function removeUnlistedAliases(domain: SipDomain, { owner }: DomainRows): readonly DomainAction[] {
  if (owner === undefined) return [];
  const { aliases } = owner.fields;
  const unlisted = aliases.filter((alias) => ![domain.domain, ...domain.aliases].includes(alias));
  if (unlisted.length === 0) return [];
  const remaining = aliases.filter((alias) => !unlisted.includes(alias));
  return [
    ...unlisted.flatMap(removeName),
    { do: "saveOwner", owner: { ...owner, fields: { ...owner.fields, aliases: remaining } } },
  ];
}

export const removeName = (name: string): readonly DomainAction[] => [
  { do: "deleteDomain", name },
  { do: "release", name },
];

/** Switches the domain in the owner row off, which may differ from the domain in the spec. */
export function disableDomain(domain: SipDomain, { owner, settings }: DomainRows): readonly DomainAction[] {
  if (owner === undefined) return [];
  const { domain: name, realm } = owner.fields;
  const row = settings.find((found) => found.domain === name);
  const off = { ...(row ?? settingsOf({ ...domain, domain: name, realm }, name, row)), isEnabled: false };
  return row?.isEnabled === false ? [] : [{ do: "saveSettings", row: off }];
}
