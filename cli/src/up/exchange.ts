/** The parts of the YAML that `strowger up` uses: the number of nodes, the peers and the logins. */
export interface Login {
  /** The SipUser: `default/alice`. */
  readonly key: string;
  readonly username: string;
  readonly domain: string;
  /** Undefined if it is not known: the YAML has only a hash, or the operator has not generated it yet. */
  readonly password: string | undefined;
}

export interface Exchange {
  /** SipCluster.spec.replicas. */
  readonly replicas: number;
  /** SipCluster.spec.peers: addresses whose calls are served without a challenge. */
  readonly peers: readonly string[];
  /** Enabled users in the order of the files. */
  readonly logins: readonly Login[];
}

/** A SipCluster, SipDomain, SipUser, or a Secret with its decoded values. */
export interface YamlObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly spec: unknown;
  readonly data: Readonly<Record<string, string>>;
}

interface SecretRef {
  readonly name: string;
  readonly key?: string;
}

interface UserSpec {
  readonly username: string;
  readonly enabled?: boolean;
  readonly domainRef: { readonly name: string; readonly namespace?: string };
  readonly passwordSecretRef?: SecretRef;
  readonly generatePassword?: boolean;
}

interface DomainSpec {
  readonly domain: string;
  readonly enabled?: boolean;
}

/**
 * The objects must be valid. A user whose domain is absent or disabled is left out. `generated` has the passwords that the operator
 * generated; its keys are namespace/name of the Secrets.
 */
export function readExchange(
  objects: readonly YamlObject[],
  generated: ReadonlyMap<string, string> = new Map(),
): Exchange {
  const cluster = objects.find((object) => object.kind === "SipCluster")?.spec as
    | { replicas?: number; peers?: string[] }
    | undefined;
  const users = objects.filter((object) => object.kind === "SipUser");
  return {
    replicas: cluster?.replicas ?? 2,
    peers: cluster?.peers ?? [],
    logins: users.flatMap((user) => loginOf(user, objects, generated) ?? []),
  };
}

function loginOf(
  user: YamlObject,
  objects: readonly YamlObject[],
  generated: ReadonlyMap<string, string>,
): Login | undefined {
  const spec = user.spec as UserSpec;
  const domain = find(objects, "SipDomain", spec.domainRef.namespace ?? user.namespace, spec.domainRef.name)
    ?.spec as DomainSpec | undefined;
  if (domain === undefined || domain.enabled === false || spec.enabled === false) return undefined;
  const key = `${user.namespace}/${user.name}`;
  const password =
    spec.generatePassword === true
      ? generated.get(`${key}-sip-password`)
      : passwordIn(spec.passwordSecretRef, user.namespace, objects);
  return { key, username: spec.username, domain: domain.domain, password };
}

function passwordIn(
  reference: SecretRef | undefined,
  namespace: string,
  objects: readonly YamlObject[],
): string | undefined {
  const secret = reference && find(objects, "Secret", namespace, reference.name);
  const key = reference?.key ?? "password";
  return secret !== undefined && Object.hasOwn(secret.data, key) ? secret.data[key] : undefined;
}

function find(
  objects: readonly YamlObject[],
  kind: string,
  namespace: string,
  name: string,
): YamlObject | undefined {
  return objects.find(
    (object) => object.kind === kind && object.name === name && object.namespace === namespace,
  );
}
