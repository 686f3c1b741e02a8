/** What a spec takes away from the rows that a SipDomain owns, done even while the rest of it is refused (ADR 33). Pure. */
import type { DomainAction } from "./domain-action.ts";
import type { SipDomain } from "./resource.ts";
import { settingsOf } from "./settings-of.ts";
import type { DomainRows } from "./current-state.ts";

/** A disabled domain serves nobody, and an alias that the spec no longer lists goes with its name. */
export function revoke(domain: SipDomain, world: DomainRows): readonly DomainAction[] {
  return [...releaseUnlisted(domain, world), ...(domain.isEnabled ? [] : disableDomain(domain, world))];
}

export function releaseUnlisted(domain: SipDomain, { owner }: DomainRows): readonly DomainAction[] {
  if (owner === undefined) return [];
  const { aliases } = owner.fields;
  const gone = aliases.filter((alias) => ![domain.domain, ...domain.aliases].includes(alias));
  if (gone.length === 0) return [];
  const left = aliases.filter((alias) => !gone.includes(alias));
  return [
    ...gone.flatMap(removeName),
    { do: "saveOwner", owner: { ...owner, fields: { ...owner.fields, aliases: left } } },
  ];
}

export const removeName = (name: string): readonly DomainAction[] => [
  { do: "deleteDomain", name },
  { do: "release", name },
];

/** What is served by the owner row, whatever the spec says by now. */
export function disableDomain(domain: SipDomain, { owner, settings }: DomainRows): readonly DomainAction[] {
  if (owner === undefined) return [];
  const { domain: name, realm } = owner.fields;
  const row = settings.find((found) => found.domain === name);
  const off = { ...(row ?? settingsOf({ ...domain, domain: name, realm }, name, row)), isEnabled: false };
  return row?.isEnabled === false ? [] : [{ do: "saveSettings", row: off }];
}
