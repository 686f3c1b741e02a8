/** Processing REGISTER (RFC 3261 §10.3), step by step. The one file of the registrar that awaits. */
import { type Admission, type Admitted, admit, challenge } from "../auth/admit.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import { type Account, type Aor, type Domain, isSameAor } from "../location/account.ts";
import type { BindingChange, CommitOutcome } from "../location/binding.ts";
import type { Lookup } from "../location/location.ts";
import { isSentDirectly } from "../location/contact-place.ts";
import { findLogins, loginsOf } from "../location/logins.ts";
import { aorOf } from "../location/row-text.ts";
import { unstorable } from "../location/storable.ts";
import { type Contacts, parseContacts, parseExpires } from "../wire/contact.ts";
import { fieldValue } from "../wire/fields.ts";
import type { Flow } from "../wire/flow.ts";
import { hostPort } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import { isProblem, problem } from "../wire/problem.ts";
import type { Epoch, Seconds } from "../wire/units.ts";
import { isSecure, parseUri } from "../wire/uri.ts";
import { answer } from "./answer.ts";
import { type Plan, plan } from "./plan.ts";
import type { Registration } from "./registration.ts";
import { type Rejection, reject, rejectUnservedDomain } from "../wire/rejection.ts";

export interface RegistrarHouse {
  readonly lookup: Lookup & { commit(change: BindingChange): Promise<CommitOutcome> };
  readonly authenticator: Authenticator;
  readonly node: string;
  now(): Epoch;
  /** Whether `host:port` is this cluster's own address. */
  isOwnAddress(hostPort: string): boolean;
}

export interface Accepted {
  readonly kind: "accept";
  readonly status: 200;
  readonly reason: "OK";
  readonly lines: string;
  /** How long a binding on the flow of this REGISTER lasts from now; 0: there is none. */
  readonly bindingLasts: Seconds;
  /** Flows that bindings of this REGISTER were on before. */
  readonly left: readonly Flow[];
}

/** Of the phones of one address of record that register at once, one wins each round: enough for all the contacts it may have. */
const maxAttempts = 20;

/** The final response. Rejects with `StoreUnavailable` or `QueueFull` when the database cannot say: 500 with Retry-After. */
export async function register(
  request: Request,
  flow: Flow,
  house: RegistrarHouse,
): Promise<Accepted | Rejection> {
  // 1. Is the Request-URI's domain ours? 5. The address of record is To's
  const requestUri = parseUri(request.uri);
  const to = parseUri(request.to.uri);
  if (isProblem(requestUri)) return reject(requestUri.status, requestUri.reason);
  if (isProblem(to)) return reject(to.status === 416 ? 416 : 400, `To: ${to.reason}`);
  if (requestUri.scheme === "sips" || to.scheme === "sips") return reject(416, secureRefused);
  const name = aorOf(to);
  if (name === undefined) return reject(400, "To names no user");
  let admission: Admission<Account> | undefined;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const [{ domain, account }, others] = await Promise.all([
      house.lookup.resolve(name),
      findLogins(request, "authorization", name.domain, house.lookup),
    ]);
    const foreign = domain?.isEnabled === true ? await foreignDomain(requestUri, to.host, house) : to.host;
    if (domain === undefined || foreign !== undefined) return rejectUnservedDomain(foreign ?? to.host);
    // 2. Required extensions
    const required = fieldValue(request, "require");
    if (required !== undefined && required !== "")
      return reject(420, "Bad Extension", `Unsupported: ${required}\r\n`);
    // 3. Authenticate, once for all attempts: a nonce counts once. A peer too: its address is no proof of who a phone is (rule 15)
    const known = account?.isEnabled === true ? account : undefined;
    const logins = [...loginsOf(known), ...others];
    admission ??= admit(request, "registrar", domain, logins, house.authenticator, house.now());
    if (admission.kind === "reject") return admission;
    if (!isSameAor(admission.account, known))
      return reject(403, "To is another user: third-party registration is not allowed");
    if (known === undefined) return reject(404, "Not Found");
    const outcome = await registerOnce(request, flow, house, domain, known, admission);
    if (outcome !== "conflict") return outcome;
  }
  return reject(500, "The bindings change too fast", "Retry-After: 1\r\n");
}

/** One reading of the bindings, one plan, one commit; "conflict" when another node changed them in between. */
async function registerOnce(
  request: Request,
  flow: Flow,
  house: RegistrarHouse,
  domain: Domain,
  account: Account,
  admitted: Admitted,
): Promise<Accepted | Rejection | "conflict"> {
  // 4. Authorize: the user of the address of record and nobody else (design-sip rule 11)
  const aor: Aor = { username: account.username, domain: account.domain };
  if (!(await isSender(request, aor, house)))
    return reject(403, "From is another user: third-party registration is not allowed");
  // 6., 7. Contacts
  const registration = read(request, flow, aor, house.node, admitted.nonce);
  if (isProblem(registration)) return reject(registration.status, registration.reason);
  const bindings = await house.lookup.bindings(aor);
  const planned: Plan = plan(registration, bindings, account.registration);
  if (planned.kind === "stale")
    return challenge(request, "registrar", domain, house.authenticator, house.now(), true);
  if (planned.kind === "reject") return planned;
  const unfit = planned.write.map(unstorable).find((reason) => reason !== undefined);
  if (unfit !== undefined) return reject(400, unfit);
  if (planned.write.length > 0) {
    const outcome = await house.lookup.commit({ aor, version: account.version, bindings: planned.write });
    if (outcome === "conflict") return "conflict";
    if (typeof outcome === "object" && "unfit" in outcome)
      return reject(400, `The database cannot hold this binding's ${outcome.unfit}`);
    if (outcome !== "committed") return reject(500, "The binding could not be stored", "Retry-After: 30\r\n");
  }
  // 8. All current bindings, as committed
  return {
    kind: "accept",
    status: 200,
    reason: "OK",
    lines: answer(planned.current, new Date(house.now())),
    bindingLasts: planned.current.reduce(
      (longest, row) => (row.flow.key === flow.key ? Math.max(longest, row.expiresIn) : longest),
      0,
    ),
    left: planned.left,
  };
}

/** Whether From is this user or an alias of it (design-sip rule 11). */
async function isSender(request: Request, aor: Aor, house: RegistrarHouse): Promise<boolean> {
  if (request.from.uri === request.to.uri) return true;
  const from = parseUri(request.from.uri);
  const sender = isProblem(from) ? undefined : aorOf(from);
  if (sender === undefined) return false;
  const { account } = await house.lookup.resolve(sender);
  return isSameAor(aor, account);
}

function read(request: Request, flow: Flow, aor: Aor, node: string, nonce: Registration["nonce"]) {
  const contacts = parseContacts(request);
  if (isProblem(contacts)) return contacts;
  const expires = fieldValue(request, "expires");
  if (bindsSecurely(contacts, expires)) return problem(secureRefused, 0, 416);
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

/** A phone whose contact is `sips` is reached over TLS only (§26.2.2), which is not served; what is removed may be anything. */
const bindsSecurely = (contacts: Contacts, expires: string | undefined): boolean =>
  contacts.kind === "list" &&
  contacts.contacts.some(
    (contact) =>
      isSecure(contact.uri) && (contact.expires ?? (expires === undefined ? 1 : parseExpires(expires))) > 0,
  );

const secureRefused = "sips needs TLS, which is not served here";

/** The Request-URI's domain when neither it nor its address is served here. */
async function foreignDomain(
  uri: { host: string; port: number | undefined },
  toHost: string,
  house: RegistrarHouse,
) {
  if (uri.host === toHost || house.isOwnAddress(hostPort(uri.host, uri.port ?? 5060))) return undefined;
  const { domain } = await house.lookup.resolve({ username: "", domain: uri.host });
  return domain?.isEnabled === true ? undefined : uri.host;
}
