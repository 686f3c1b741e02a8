/** The client that creates SipUsers, and the two writes for each that no operator can avoid, by a plain client. */
import { collection } from "../../parts/api-server/api-client.ts";
import { type OperatorEnvironment, secret, sipUser } from "../../parts/api-server/operator-environment.ts";

/** Each SipUser with its own Secret, as in a file of users; with a generated password; or all with one Secret. */
export type Passwords = "own" | "generated" | "shared";

export interface Users {
  readonly users: number;
  readonly passwords: Passwords;
}

export interface CreatedUser {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
}

/** Requests of the creating client at the same time. */
const creators = 8;

/** Creates the Secret that all users share. */
export async function createShared(
  environment: OperatorEnvironment,
  { users, passwords }: Users,
): Promise<void> {
  if (passwords === "shared")
    await environment.apply(
      secret("passwords", Object.fromEntries(namesOf(users).map((name) => [name, `${name}-secret`]))),
    );
}

/** A Secret is created before its user. */
export async function create(
  environment: OperatorEnvironment,
  { users, passwords }: Users,
  onCreated: (user: CreatedUser) => void = () => undefined,
): Promise<void> {
  const remaining = namesOf(users)[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const name of remaining) {
      if (passwords === "own")
        await post(environment, secrets, secret(`${name}-secret`, { password: `${name}-secret` }));
      onCreated(await post(environment, collection("SipUser"), sipUser(name, specs[passwords](name))));
    }
  };
  await Promise.all(Array.from({ length: creators }, worker));
}

const secrets = "/api/v1/namespaces/default/secrets";
const specs: Readonly<Record<Passwords, (name: string) => object>> = {
  own: () => ({}),
  generated: () => ({ generatePassword: true }),
  shared: (name) => ({ passwordSecretRef: { name: "passwords", key: name } }),
};

async function post<Created>(
  environment: OperatorEnvironment,
  path: string,
  object: object,
): Promise<Created> {
  const { status, body } = await environment.client.send<Created>("POST", path, object);
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

export async function writeAsOperator(
  environment: OperatorEnvironment,
  { metadata: { name, uid, resourceVersion } }: CreatedUser,
  passwords: Passwords,
): Promise<void> {
  const path = `${collection("SipUser")}/${name}`;
  const finalizers = ["sip.strowger.dev/rows"];
  const { client } = environment;
  await expectOk(
    client.send(
      "PATCH",
      `${path}?fieldManager=plain`,
      { metadata: { uid, resourceVersion, finalizers } },
      "application/merge-patch+json",
    ),
  );
  if (passwords === "generated")
    await post(environment, secrets, secret(`${name}-sip-password`, { password: "0123456789abcdefghij" }));
  const condition = {
    type: "Ready",
    status: "True",
    observedGeneration: 1,
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ""),
    reason: "Reconciled",
    message: `${name}@example.com can register`,
  };
  const object = {
    ...{ apiVersion: "sip.strowger.dev/v1alpha1", kind: "SipUser" },
    metadata: { name, namespace: "default", uid },
    status: {
      ...{ observedGeneration: 1, deletionPolicy: "Delete", address: `sip:${name}@example.com` },
      ...{ secretResourceVersion: resourceVersion, conditions: [condition] },
    },
  };
  await expectOk(
    client.send(
      "PATCH",
      `${path}/status?fieldManager=plain-status&force=true`,
      object,
      "application/apply-patch+yaml",
    ),
  );
}

async function expectOk(sent: Promise<{ readonly status: number; readonly body: unknown }>): Promise<void> {
  const { status, body } = await sent;
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
}

const namesOf = (users: number): readonly string[] =>
  Array.from({ length: users }, (_, index) => `user-${index}`);
