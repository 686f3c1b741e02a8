/** What to do about a SipDomain: whatever its rows lack; while a name of it is somebody else's only what the spec takes away. */
import { isDeepStrictEqual } from "node:util";
import {
  claimConflict,
  elderConflict,
  isSameOwner,
  reasons,
  resolveDeletionPolicy,
  standingOf,
  type Owner,
} from "../ownership.ts";
import type { NewCondition } from "../runtime/condition.ts";
import { ready, notReady, type Decision } from "../runtime/decision.ts";
import type { DomainAction } from "./domain-action.ts";
import { afterRemoval, foreignObstacle } from "./foreign-rows.ts";
import type { DomainFields, SipDomain } from "./resource.ts";
import { releaseUnlisted, removeName, revoke, disableDomain } from "./revoke.ts";
import { settingsOf } from "./settings-of.ts";
import { nameFor, type DomainRows, type DomainState } from "./current-state.ts";

/** Nobody tells when a row of another tool goes. */
const lookAgain = 10_000;

export function decide(domain: SipDomain, world: DomainState): Decision<DomainAction> {
  if (world.kind !== "ready") return nothingOf(domain, false, clusterObstacle(domain, world.kind));
  const standing = standingOf(world.owner, domain.uid, world.present);
  if (typeof standing === "object") return { ...nothingOf(domain, false, standing), requeueAfter: lookAgain };
  if (standing === "heir" && !isSameDomain(domain, world.owner)) return replace(domain, world);
  return decideOwn(domain, world);
}

/**
 * What is done for a domain that is paused, too, for it is not up to whoever can pause it: a namespace that is no longer allowed is served
 * no longer. Undefined: nothing.
 */
export function decideRevocation(domain: SipDomain, world: DomainState): Decision<DomainAction> | undefined {
  if (world.kind !== "ready" || world.isAllowed) return undefined;
  const asBefore = { ...domain, aliases: world.owner?.fields.aliases ?? domain.aliases };
  return shutOut(asBefore, world, isAdoption(domain, world));
}

/** Knows only the owner row: the object is gone, or is being deleted. */
export function decideRemoval({ deletionPolicy, fields }: Owner<DomainFields>): readonly DomainAction[] {
  const rows = deletionPolicy === "Delete" ? namesOf(fields) : [];
  return [...rows.map((name) => ({ do: "deleteDomain", name }) as const), { do: "removeOwner" }];
}

/** An earlier object of this name was for another domain: what it made goes as if it had been swept. */
function replace(domain: SipDomain, world: DomainRows): Decision<DomainAction> {
  const { owner } = world;
  if (owner === undefined) return decideOwn(domain, world);
  const decided = decideOwn(domain, afterRemoval(world, owner));
  return { ...decided, actions: [...decideRemoval(owner), ...decided.actions] };
}

function decideOwn(domain: SipDomain, world: DomainRows): Decision<DomainAction> {
  const { owner } = world;
  const isAdopted = isAdoption(domain, world);
  const isImmutable = owner?.uid === domain.uid && !isDeepStrictEqual(owner.fields.spec, domain.immutable);
  if (isImmutable) return refuse(domain, world, isAdopted, immutableChanged);
  if (!world.isAllowed) return shutOut(domain, world, isAdopted);
  const held = claimConflict(world.claims, world.installationId, domain.reference);
  // Whoever observes writes nothing, but its users do: a name of somebody else's is none to look at either.
  if (domain.adoptionPolicy === "Observe" && held === undefined) return observe(domain, world);
  const taken = held ?? elderConflict(world.elders, domain.reference);
  const obstacle = taken ?? foreignObstacle(domain, world);
  if (obstacle !== undefined)
    return { ...refuse(domain, world, isAdopted, obstacle), requeueAfter: lookAgain };
  const says = domain.isEnabled ? "is served" : "is disabled: it is known and serves nobody";
  const deletionPolicy = policyOf(domain, isAdopted);
  const actions = actionsFor(domain, world, isAdopted);
  return {
    actions,
    freesName: actions.some(isRelease),
    ready: ready(`${domain.domain} ${says}`),
    status: { deletionPolicy },
    needsFinalizer: deletionPolicy === "Delete",
  };
}

const nothingOf = (domain: SipDomain, isAdopted: boolean, ready: NewCondition): Decision<DomainAction> => ({
  actions: [],
  ready,
  status: { deletionPolicy: policyOf(domain, isAdopted) },
});

/** Nothing is done but what the spec takes away from rows that are this object's (ADR 33). */
function refuse(
  domain: SipDomain,
  world: DomainRows,
  isAdopted: boolean,
  ready: NewCondition,
): Decision<DomainAction> {
  const actions = domain.adoptionPolicy === "Observe" ? [] : revoke(domain, world);
  return {
    ...nothingOf(domain, isAdopted, ready),
    actions,
    freesName: actions.some(isRelease),
    isExpectedChange: true,
  };
}

const isRelease = ({ do: what }: DomainAction): boolean => what === "release";

function clusterObstacle({ cluster, reference }: SipDomain, kind: "absent" | "unready"): NewCondition {
  const name = nameFor(cluster, reference.namespace);
  return kind === "absent"
    ? notReady(reasons.clusterNotFound, `there is no SipCluster ${name}`)
    : notReady(
        reasons.clusterNotReady,
        `SipCluster ${name} has no database of its own yet; its conditions say why`,
      );
}

const immutableChanged = notReady(
  reasons.immutableField,
  "clusterRef, domain and realm cannot change; remove this object and make a new one",
);

/** Writes nothing but who owns the rows, so that nothing is deleted any more. */
function observe(domain: SipDomain, { owner, domains }: DomainRows): Decision<DomainAction> {
  const isThere = domains.includes(domain.domain);
  const condition = isThere
    ? { ...ready(`${domain.domain} is in the database; nothing is written`), reason: reasons.observed }
    : notReady(reasons.nothingToObserve, `the database has no domain ${domain.domain}; nothing is written`);
  return {
    actions: owner === undefined || owner.deletionPolicy === "Retain" ? [] : [saveOwner(domain, owner, true)],
    ready: condition,
    status: { deletionPolicy: "Retain" },
    requeueAfter: lookAgain,
    needsFinalizer: false,
  };
}

/** No longer (or never) allowed: the rows that are there serve nobody. */
function shutOut(domain: SipDomain, world: DomainRows, isAdopted: boolean): Decision<DomainAction> {
  const cluster = nameFor(domain.cluster, domain.reference.namespace);
  const verdict = notReady(
    reasons.notAllowed,
    `SipCluster ${cluster} does not serve ${[domain.domain, ...domain.aliases].join(", ")} for this namespace; see its allowedDomains`,
  );
  const refused = nothingOf(domain, isAdopted, verdict);
  if (world.owner === undefined) return refused;
  const released = domain.adoptionPolicy === "Observe" ? [] : releaseUnlisted(domain, world);
  const actions = [...released, ...disableDomain(domain, world)];
  return { ...refused, isExpectedChange: true, freesName: released.length > 0, actions };
}

function actionsFor(domain: SipDomain, world: DomainRows, isAdopted: boolean): readonly DomainAction[] {
  const { owner, claims, domains, settings } = world;
  const names = namesOf(domain);
  const gone = owner === undefined ? [] : namesOf(owner.fields).filter((name) => !names.includes(name));
  const found = (name: string) => settings.find((row) => row.domain === name);
  const rows = names.map((name) => settingsOf(domain, name, found(name)));
  const owns = saveOwner(domain, owner, isAdopted);
  return [
    ...gone.flatMap(removeName),
    ...names
      .filter((name) => claims.every((claim) => claim.name !== name))
      .map((name) => ({ do: "claim", name }) as const),
    ...names.filter((name) => !domains.includes(name)).map((name) => ({ do: "insertDomain", name }) as const),
    ...rows
      .filter((row) => !isDeepStrictEqual({ ...found(row.domain) }, row))
      .map((row) => ({ do: "saveSettings", row }) as const),
    ...(isSameOwner(owner, owns.owner) ? [] : [owns]),
  ];
}

function saveOwner(
  domain: SipDomain,
  found: Owner<DomainFields> | undefined,
  isAdopted: boolean,
): { readonly do: "saveOwner"; readonly owner: Owner<DomainFields> } {
  const { reference, uid, generation, immutable, domain: name, realm, aliases } = domain;
  const fields =
    domain.adoptionPolicy === "Observe" && found !== undefined
      ? found.fields
      : { spec: immutable, domain: name, realm, aliases, ...(isAdopted ? { isAdopted } : {}) };
  return {
    do: "saveOwner",
    owner: { reference, uid, generation, deletionPolicy: policyOf(domain, isAdopted), fields },
  };
}

const policyOf = ({ deletionPolicy, adoptionPolicy }: SipDomain, isAdopted: boolean) =>
  resolveDeletionPolicy(deletionPolicy, adoptionPolicy, isAdopted);

/** Once adopted, always: the owner row remembers. */
function isAdoption(domain: SipDomain, { owner, domains }: DomainRows): boolean {
  if (owner?.fields.isAdopted === true) return true;
  const own = owner === undefined ? [] : namesOf(owner.fields);
  return domain.adoptionPolicy !== "Never" && domains.some((name) => !own.includes(name));
}

const isSameDomain = ({ domain, realm }: SipDomain, owner: Owner<DomainFields> | undefined): boolean =>
  owner?.fields.domain === domain && owner.fields.realm === realm;

const namesOf = ({ domain, aliases }: Pick<DomainFields, "domain" | "aliases">): readonly string[] => [
  domain,
  ...aliases,
];
