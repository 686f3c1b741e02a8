/** The actions that make the rows of a SipDomain match its spec. Pure. */
import { isDeepStrictEqual } from "node:util";
import { isSameOwner, resolveDeletionPolicy, type DeletionPolicy, type Owner } from "../ownership.ts";
import { ownerUnproven } from "./checks.ts";
import type { DomainRows } from "./current-state.ts";
import type { DomainAction } from "./domain-action.ts";
import type { DomainFields, SipDomain } from "./resource.ts";
import { settingsOf } from "./settings-of.ts";
import { removeName } from "./spec-removals.ts";

export function planRows(domain: SipDomain, state: DomainRows): readonly DomainAction[] {
  const { owner, claims, domains, settings } = state;
  const names = namesOf(domain);
  const unlisted = owner === undefined ? [] : namesOf(owner.fields).filter((name) => !names.includes(name));
  const found = (name: string) => settings.find((row) => row.domain === name);
  const rows = names.map((name) => settingsOf(domain, name, found(name)));
  const ownerAction = saveOwner(domain, state);
  return [
    ...unlisted.flatMap(removeName),
    ...names
      .filter((name) => claims.every((claim) => claim.name !== name))
      .map((name) => ({ do: "claim", name }) as const),
    ...names.filter((name) => !domains.includes(name)).map((name) => ({ do: "insertDomain", name }) as const),
    ...rows
      .filter((row) => !isDeepStrictEqual({ ...found(row.domain) }, row))
      .map((row) => ({ do: "saveSettings", row }) as const),
    ...(isSameOwner(owner, ownerAction.owner) ? [] : [ownerAction]),
  ];
}

/** For an object that only observes, the fields of the owner row stay. */
export function saveOwner(
  domain: SipDomain,
  state: DomainRows,
): { readonly do: "saveOwner"; readonly owner: Owner<DomainFields> } {
  const { reference, uid, generation, immutable, domain: name, realm, aliases } = domain;
  const isAdopted = isAdoption(domain, state);
  const fields =
    domain.adoptionPolicy === "Observe" && state.owner !== undefined
      ? state.owner.fields
      : { spec: immutable, domain: name, realm, aliases, ...(isAdopted ? { isAdopted } : {}) };
  return {
    do: "saveOwner",
    owner: { reference, uid, generation, deletionPolicy: deletionPolicyOf(domain, isAdopted), fields },
  };
}

export const deletionPolicyOf = (
  { deletionPolicy, adoptionPolicy }: SipDomain,
  isAdopted: boolean,
): DeletionPolicy => resolveDeletionPolicy(deletionPolicy, adoptionPolicy, isAdopted);

/** Whether rows of another tool were taken over, or are taken over now. The owner row records it for ever, for its own object. */
export function isAdoption(domain: SipDomain, state: DomainRows): boolean {
  if (ownerUnproven({ domain, state }) !== undefined) return false;
  const { owner, domains } = state;
  if (owner?.fields.isAdopted === true) return true;
  const own = owner === undefined ? [] : namesOf(owner.fields);
  return domain.adoptionPolicy !== "Never" && domains.some((name) => !own.includes(name));
}

export const namesOf = ({ domain, aliases }: Pick<DomainFields, "domain" | "aliases">): readonly string[] => [
  domain,
  ...aliases,
];
