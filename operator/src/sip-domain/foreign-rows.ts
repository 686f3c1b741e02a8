/** Rows of a domain's names that this object did not make: whether they may be taken over. Pure. */
import { isHeldBy, reasons, type Owner } from "../ownership.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { notReady } from "../runtime/decision.ts";
import type { DomainFields, SipDomain } from "./resource.ts";
import type { DomainRows } from "./current-state.ts";

/** Why they may not; undefined: there are none, or they may. */
export function foreignObstacle(
  domain: SipDomain,
  { owner, domains, settings }: DomainRows,
): NewCondition | undefined {
  const own = owner === undefined ? [] : [owner.fields.domain, ...owner.fields.aliases];
  const foreign = domains.filter((name) => !own.includes(name));
  const [first] = foreign;
  if (first === undefined || domain.adoptionPolicy === "Enforce") return undefined;
  if (domain.adoptionPolicy === "Never")
    return notReady(
      reasons.conflict,
      `the database has a domain ${first} that this operator did not make; it is left as it is (adoptionPolicy Adopt takes it over)`,
    );
  const why = foreign
    .map((name) =>
      mismatch(
        domain,
        name,
        settings.find((row) => row.domain === name),
      ),
    )
    .find((found) => found !== undefined);
  return why === undefined
    ? undefined
    : notReady(reasons.conflict, `${why}; adoptionPolicy Enforce would overwrite it`);
}

/** What the spec says and the row contradicts. A row without a side row has the domain as its realm, and is no alias. */
function mismatch(
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
  const theirs = row?.realm ?? null;
  return theirs === null || theirs === realm
    ? undefined
    : `the realm of ${name} is ${theirs} in the database`;
}

/** The world once the rows of that owner were removed. */
export function afterRemoval(
  world: DomainRows,
  { reference, deletionPolicy, fields }: Owner<DomainFields>,
): DomainRows {
  const names = deletionPolicy === "Delete" ? [fields.domain, ...fields.aliases] : [];
  return {
    ...world,
    owner: undefined,
    claims: world.claims.filter((claim) => !isHeldBy(claim, world.installationId, reference)),
    domains: world.domains.filter((name) => !names.includes(name)),
    settings: world.settings.filter((row) => !names.includes(row.domain)),
  };
}
