/** The processing of a REGISTER request, by the steps of RFC 3261 §10.3. The one file of the registrar that awaits. */
import { type Admission, admit, challenge } from "../auth/admit.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import { type Account, type Aor, isSameAor, isServed } from "../location/account.ts";
import type { AorBindings, Binding, CommitOutcome } from "../location/binding.ts";
import { isSentDirectly } from "../location/flow-of-contact.ts";
import type { PlannedChange } from "../location/binding-changes.ts";
import type { Lookup } from "../location/lookup.ts";
import { findLogins, loginNames, loginsOf } from "../location/logins.ts";
import { aorOf } from "../location/row-text.ts";
import { storageProblem } from "../location/storage-problem.ts";
import { type Contacts, parseContacts, parseExpires } from "../wire/contact.ts";
import { digestLogins } from "../wire/digest-credentials.ts";
import { fieldValue } from "../wire/fields.ts";
import { type Flow, hostPort } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { isProblem, problem } from "../wire/problem.ts";
import { type Rejection, reject, rejectUnservedDomain } from "../wire/rejection.ts";
import type { Epoch, Seconds } from "../wire/units.ts";
import { isSecure, parseUri, type SipUri } from "../wire/uri.ts";
import { buildOkFields } from "./build-ok-fields.ts";
import { type AcceptedPlan, plan } from "./plan.ts";
import type { Registration } from "./registration.ts";

export interface RegistrarDependencies {
  readonly lookup: Lookup & {
    commit(change: PlannedChange): Promise<CommitOutcome>;
    confirm(aor: Aor, answered: AorBindings): Promise<void>;
  };
  readonly authenticator: Authenticator;
  /** Node id. */
  readonly node: string;
  now(): Epoch;
  /** Whether `host:port` is this cluster's own address. */
  isOwnAddress(hostPort: string): boolean;
}

export interface RegisterOk {
  readonly kind: "accept";
  readonly status: 200;
  readonly reason: "OK";
  readonly lines: string;
  /** The longest remaining time of a binding on the flow of this REGISTER; 0: there is none. */
  readonly flowExpiresIn: Seconds;
  /** Flows that the phone has moved from. */
  readonly formerFlows: readonly Flow[];
}

/** When phones of one address of record register at once, one of them succeeds in each attempt: enough for all contacts that it may have. */
const maxAttempts = 20;

/** Returns the final response. Rejects with `StoreUnavailable` or `QueueFull` when the database is unavailable: 500 with Retry-After. */
export async function register(
  request: Request,
  flow: Flow,
  deps: RegistrarDependencies,
): Promise<RegisterOk | Rejection> {
  const target = readTarget(request);
  if (target.kind === "reject") return target;
  let admission: Admission<Account> | undefined;
  let hasRefreshed = false;
  const isAttempt = digestLogins(request, "authorization").length > 0;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const resolution = isAttempt ? deps.lookup.resolve(target.aor) : deps.lookup.resolveUnproven(target.aor);
    const logins = findLogins(request, "authorization", target.aor.domain, deps.lookup, target.aor);
    // Most requests name no other login. One promise less takes 1 µs less
    const [{ domain, account }, otherLogins] =
      logins instanceof Promise ? await Promise.all([resolution, logins]) : [await resolution, logins];
    // 1. The Request-URI names a domain that is served here
    if (!isServed(domain)) return rejectUnservedDomain(target.to.host);
    const unservedDomain = isOfThisDomain(target, deps) ? undefined : await findUnservedDomain(target, deps);
    if (unservedDomain !== undefined) return rejectUnservedDomain(unservedDomain);
    // 2. No extension is supported
    const required = fieldValue(request, "require");
    if (required !== undefined && required !== "")
      return reject(420, "Bad Extension", `Unsupported: ${required}\r\n`);
    // 3. Authenticate, also a peer: its address does not prove which phone it is (design-sip rule 15). Once for all attempts: a nonce counts once
    const user = account?.isEnabled === true ? account : undefined;
    admission ??= admit(
      request,
      "registrar",
      domain,
      [...loginsOf(user), ...otherLogins],
      deps.authenticator,
      deps.now(),
    );
    if (admission.kind === "reject") {
      // Another tool may have changed the password
      if (hasRefreshed || !(await hasOutdatedLogin(request, target.aor, admission, deps))) return admission;
      hasRefreshed = true;
      admission = undefined;
      continue;
    }
    // 4. Authorize: only the user itself may change its bindings (design-sip rule 11)
    // 5. The address of record of To is a user of the domain. It is the authenticated one, so it exists
    if (user === undefined || !isSameAor(admission.account, user))
      return reject(403, "To is another user: third-party registration is not allowed");
    const aor: Aor = { username: user.username, domain: user.domain };
    if (request.from.uri !== request.to.uri && !(await isSender(request, aor, deps)))
      return reject(403, "From is another user: third-party registration is not allowed");
    // 6. and 7. Process the contacts, and commit all changes or none
    const registration = readRegistration(request, flow, aor, deps.node, admission.nonce);
    if (isProblem(registration)) return reject(registration.status, registration.reason);
    const rows = await deps.lookup.bindings(aor);
    const planned = plan(registration, rows.bindings, user.registration);
    if (planned.kind === "stale")
      return challenge(request, "registrar", domain, deps.authenticator, deps.now(), true);
    if (planned.kind === "reject") return planned;
    const failure =
      planned.changed.length === 0
        ? await deps.lookup.confirm(aor, rows)
        : await commitChanges(changeOf(aor, rows, planned.changed), deps);
    if (failure === "conflict") continue;
    // 8. Return all current bindings, as committed
    return failure ?? buildOk(planned, flow, deps.now());
  }
  return reject(500, "The bindings change too fast", "Retry-After: 1\r\n");
}

const hasOutdatedLogin = async (
  request: Request,
  aor: Aor,
  { failedLogin }: Rejection,
  { lookup }: RegistrarDependencies,
): Promise<boolean> =>
  failedLogin !== undefined &&
  (await lookup.refresh([aor, ...loginNames(request, "authorization", aor.domain)]));

/** The URIs of the request, and the address of record that To names. */
interface RegistrationTarget {
  readonly kind: "registration-target";
  readonly requestUri: SipUri;
  readonly to: SipUri;
  readonly aor: Aor;
}

function readTarget(request: Request): RegistrationTarget | Rejection {
  const requestUri = parseUri(request.uri);
  const to = parseUri(request.to.uri);
  if (isProblem(requestUri)) return reject(requestUri.status, requestUri.reason);
  if (isProblem(to)) return reject(to.status === 416 ? 416 : 400, `To: ${to.reason}`);
  if (requestUri.scheme === "sips" || to.scheme === "sips") return reject(416, sipsProblem);
  const aor = aorOf(to);
  return aor === undefined
    ? reject(400, "To names no user")
    : { kind: "registration-target", requestUri, to, aor };
}

const isOfThisDomain = (
  { requestUri: { host, port }, to }: RegistrationTarget,
  deps: RegistrarDependencies,
): boolean => host === to.host || deps.isOwnAddress(hostPort(host, port ?? 5060));

/** The domain of the Request-URI, when it is not served. */
async function findUnservedDomain(
  { requestUri: { host } }: RegistrationTarget,
  deps: RegistrarDependencies,
): Promise<string | undefined> {
  const { domain } = await deps.lookup.resolve({ username: "", domain: host });
  return isServed(domain) ? undefined : host;
}

/** Whether From is this user or one of its aliases. */
async function isSender(request: Request, aor: Aor, deps: RegistrarDependencies): Promise<boolean> {
  const from = parseUri(request.from.uri);
  const sender = isProblem(from) ? undefined : aorOf(from);
  if (sender === undefined) return false;
  const { account } = await deps.lookup.resolve(sender);
  return isSameAor(aor, account);
}

function readRegistration(
  request: Request,
  flow: Flow,
  aor: Aor,
  node: string,
  nonce: Registration["nonce"],
) {
  const contacts = parseContacts(request);
  if (isProblem(contacts)) return contacts;
  const expires = fieldValue(request, "expires");
  if (addsSecureContact(contacts, expires)) return problem(sipsProblem, 0, 416);
  const userAgent = (fieldValue(request, "user-agent") ?? "n/a").replace(/[^ -~]/g, "?").slice(0, 255);
  const { callId, cseq } = request;
  return {
    aor,
    contacts,
    expires: expires === undefined ? undefined : parseExpires(expires),
    callId,
    cseq: cseq.number,
    userAgent,
    flow,
    isDirect: isSentDirectly(request, flow),
    node,
    nonce,
  } satisfies Registration; // prettier-ignore
}

/** A phone with a `sips` contact is reached over TLS only (§26.2.2), which is not supported. Any contact can be removed. */
const addsSecureContact = (contacts: Contacts, expires: string | undefined): boolean =>
  contacts.kind === "list" &&
  contacts.contacts.some(
    (contact) =>
      isSecure(contact.uri) && (contact.expires ?? (expires === undefined ? 1 : parseExpires(expires))) > 0,
  );

const sipsProblem = "sips needs TLS, which is not served here";

function changeOf(aor: Aor, { version, bindings }: AorBindings, changed: readonly Binding[]): PlannedChange {
  const ids = new Set(changed.map(({ id }) => id));
  return { aor, version, bindings: changed, others: bindings.filter(({ id }) => !ids.has(id)) };
}

/** Returns undefined when the changes are committed, and "conflict" when another node has changed the bindings since they were read. */
async function commitChanges(
  change: PlannedChange,
  deps: RegistrarDependencies,
): Promise<Rejection | "conflict" | undefined> {
  const reason = firstStorageProblem(change.bindings);
  if (reason !== undefined) return reject(400, reason);
  const outcome = await deps.lookup.commit(change);
  if (outcome === "committed") return undefined;
  if (outcome === "conflict") return "conflict";
  if ("unfit" in outcome) return reject(400, `The database cannot hold this binding's ${outcome.unfit}`);
  return reject(500, "The binding could not be stored", "Retry-After: 30\r\n");
}

const firstStorageProblem = (bindings: readonly Binding[]): string | undefined =>
  bindings.map(storageProblem).find((reason) => reason !== undefined);

function buildOk({ current, formerFlows }: AcceptedPlan, flow: Flow, now: Epoch): RegisterOk {
  const onThisFlow = current.filter((binding) => binding.flow.key === flow.key);
  return {
    kind: "accept",
    status: 200,
    reason: "OK",
    lines: buildOkFields(current, new Date(now)),
    flowExpiresIn: onThisFlow.reduce((longest, { expiresIn }) => Math.max(longest, expiresIn), 0),
    formerFlows,
  };
}
