/** What to do about a SipDomain: nothing while a name of it is somebody else's, else whatever its rows lack. */
import { isDeepStrictEqual } from "node:util";
import type { DomainSettings } from "../adapters/mysql/domain-rows.ts";
import { describeOwner, isHeldBy, type Owner } from "../ownership.ts";
import type { Verdict } from "../runtime/condition.ts";
import { isReady, notReady, type Decision } from "../runtime/decision.ts";
import type { DomainFields, SipDomain } from "./resource.ts";
import type { DomainWorld } from "./world.ts";

export type DomainAction =
  | { readonly do: "claim" | "release" | "insertDomain" | "deleteDomain"; readonly name: string }
  | { readonly do: "saveSettings"; readonly row: DomainSettings }
  | { readonly do: "saveOwner"; readonly owner: Owner<DomainFields> }
  | { readonly do: "removeOwner" };

/** Nobody tells when a row of another tool goes. */
const lookAgain = 10_000;

export function decide(domain: SipDomain, world: DomainWorld): Decision<DomainAction> {
  const status = { deletionPolicy: domain.deletionPolicy };
  const obstacle = clusterObstacle(domain, world) ?? immutableObstacle(domain, world);
  if (obstacle !== undefined) return { actions: [], ready: obstacle, status };
  const conflict = conflictOf(domain, world);
  if (conflict !== undefined) return { actions: [], ready: conflict, status, requeueAfter: lookAgain };
  const says = domain.isEnabled ? "is served" : "is disabled: it is known and serves nobody";
  return { actions: actionsFor(domain, world), ready: isReady(`${domain.domain} ${says}`), status };
}

/** Knows only the owner row: the object is gone. */
export function decideRemoval({ deletionPolicy, fields }: Owner<DomainFields>): readonly DomainAction[] {
  const rows = deletionPolicy === "Delete" ? namesOf(fields) : [];
  return [...rows.map((name) => ({ do: "deleteDomain", name }) as const), { do: "removeOwner" }];
}

function clusterObstacle({ clusterName }: SipDomain, { cluster }: DomainWorld): Verdict | undefined {
  switch (cluster) {
    case "absent":
      return notReady("ClusterNotFound", `there is no SipCluster ${clusterName} in this namespace`);
    case "unready":
      return notReady(
        "ClusterNotReady",
        `the database is not SipCluster ${clusterName}'s; its conditions say why`,
      );
    case "ready":
      return undefined;
  }
}

function immutableObstacle({ immutable }: SipDomain, { owner }: DomainWorld): Verdict | undefined {
  if (owner === undefined || isDeepStrictEqual(owner.fields.spec, immutable)) return undefined;
  return notReady(
    "ImmutableField",
    "clusterRef, domain and realm cannot change; remove this object and make a new one",
  );
}

function conflictOf(
  domain: SipDomain,
  { installationId, claims, domains, owner }: DomainWorld,
): Verdict | undefined {
  const claim = claims.find((other) => !isHeldBy(other, installationId, domain.reference));
  if (claim !== undefined) {
    return notReady(
      "Conflict",
      `the name ${claim.name} belongs to ${describeOwner(claim, domain.reference.namespace)}`,
    );
  }
  const own = owner === undefined ? [] : namesOf(owner.fields);
  const foreign = domains.find((name) => !own.includes(name));
  return foreign === undefined
    ? undefined
    : notReady(
        "Conflict",
        `the database has a domain ${foreign} that this operator did not make; it is left as it is`,
      );
}

function actionsFor(
  domain: SipDomain,
  { owner, claims, domains, settings }: DomainWorld,
): readonly DomainAction[] {
  const names = namesOf(domain);
  const gone = owner === undefined ? [] : namesOf(owner.fields).filter((name) => !names.includes(name));
  const rows = names.map((name) => settingsOf(domain, name));
  const owns = ownerOf(domain);
  return [
    ...gone.flatMap((name): DomainAction[] => [
      { do: "deleteDomain", name },
      { do: "release", name },
    ]),
    ...names
      .filter((name) => claims.every((claim) => claim.name !== name))
      .map((name) => ({ do: "claim", name }) as const),
    ...names.filter((name) => !domains.includes(name)).map((name) => ({ do: "insertDomain", name }) as const),
    ...rows
      .filter((row) => !settings.some((found) => isDeepStrictEqual({ ...found }, row)))
      .map((row) => ({ do: "saveSettings", row }) as const),
    ...(isSameOwner(owner, owns) ? [] : [{ do: "saveOwner", owner: owns } as const]),
  ];
}

function settingsOf(
  { domain, realm, isEnabled, registration, algorithms }: SipDomain,
  name: string,
): DomainSettings {
  const isAlias = name !== domain;
  const nothing = {
    realm: null,
    minExpires: null,
    defaultExpires: null,
    maxExpires: null,
    maxContacts: null,
    algorithms: null,
  };
  if (isAlias) return { domain: name, aliasOf: domain, isEnabled: true, ...nothing };
  return {
    domain,
    aliasOf: null,
    realm,
    isEnabled,
    minExpires: registration.minExpires ?? null,
    defaultExpires: registration.defaultExpires ?? null,
    maxExpires: registration.maxExpires ?? null,
    maxContacts: registration.maxContacts ?? null,
    algorithms: algorithms?.join(",") ?? null,
  };
}

const ownerOf = ({
  reference,
  uid,
  generation,
  deletionPolicy,
  immutable,
  domain,
  realm,
  aliases,
}: SipDomain): Owner<DomainFields> => ({
  reference,
  uid,
  generation,
  deletionPolicy,
  fields: { spec: immutable, domain, realm, aliases },
});

/** The generation is a note for people: a change of it alone is worth no transaction. */
const isSameOwner = (found: Owner | undefined, owner: Owner): boolean =>
  found !== undefined && isDeepStrictEqual({ ...found, generation: owner.generation }, owner);

const namesOf = ({ domain, aliases }: Pick<DomainFields, "domain" | "aliases">): readonly string[] => [
  domain,
  ...aliases,
];
