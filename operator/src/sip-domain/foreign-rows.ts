/** Rows with a domain's names that another tool made: whether the SipDomain may take them over. Pure. */
import { isHeldBy, reasons, type Owner } from "../ownership.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import type { DomainRows } from "./current-state.ts";
import type { DomainFields, SipDomain } from "./resource.ts";

/** Undefined: there are no such rows, or they may be taken over. An object that only observes takes no rows over. */
export function foreignRowConflict({
  domain,
  state: { owner, domains, settings },
}: {
  readonly domain: SipDomain;
  readonly state: DomainRows;
}): NewCondition | undefined {
  const own = owner === undefined ? [] : [owner.fields.domain, ...owner.fields.aliases];
  const foreign = domains.filter((name) => !own.includes(name));
  const [first] = foreign;
  if (first === undefined || ["Enforce", "Observe"].includes(domain.adoptionPolicy)) return undefined;
  if (domain.adoptionPolicy === "Never")
    return notReady(
      reasons.conflict,
      `the database has a domain ${first} that this operator did not make; it stays as it is (adoptionPolicy Adopt takes it over)`,
    );
  const difference = foreign
    .map((name) =>
      describeDifference(
        domain,
        name,
        settings.find((row) => row.domain === name),
      ),
    )
    .find((found) => found !== undefined);
  return difference === undefined
    ? undefined
    : notReady(reasons.conflict, `${difference}; adoptionPolicy Enforce would overwrite it`);
}

/**
 * How a row contradicts the spec; undefined: it does not. The realm of a row without settings is the domain itself, and such a row is no
 * alias.
 */
function describeDifference(
  { domain, realm }: SipDomain,
  name: string,
  row: DomainRows["settings"][number] | undefined,
): string | undefined {
  const aliasOf = row?.aliasOf ?? null;
  if (name !== domain)
    return aliasOf === domain
      ? undefined
      : `the database has ${name} as a domain that is no alias of ${domain}`;
  if (aliasOf !== null) return `the database has ${name} as an alias of ${aliasOf}`;
  const rowRealm = row?.realm ?? null;
  return rowRealm === null || rowRealm === realm
    ? undefined
    : `the realm of ${name} is ${rowRealm} in the database`;
}

/** The current state without the rows of that owner. */
export function stateAfterRemoval(
  state: DomainRows,
  { reference, deletionPolicy, fields }: Owner<DomainFields>,
): DomainRows {
  const names = deletionPolicy === "Delete" ? [fields.domain, ...fields.aliases] : [];
  return {
    ...state,
    owner: undefined,
    claims: state.claims.filter((claim) => !isHeldBy(claim, state.installationId, reference)),
    domains: state.domains.filter((name) => !names.includes(name)),
    settings: state.settings.filter((row) => !names.includes(row.domain)),
  };
}
