/** The errors of requests to the API server. */
import type { ResourceType } from "./resource-type.ts";

/** The `Status` in the response to a refused request (Kubernetes API conventions, "Error status codes"). */
export interface Status {
  readonly kind: "Status";
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly name?: string; readonly group?: string; readonly kind?: string };
}

/** The API server refused the request. */
export class ApiRefused extends Error {
  override readonly name = "ApiRefused";
  /** HTTP status. */
  readonly status: number;
  /** Undefined if the body is no `Status`, as from a proxy, or for a path that is not served. */
  readonly body: Status | undefined;

  /** `what`: the request, such as `GET SipUser tel/alice`. */
  constructor(what: string, status: number, body: string) {
    const parsed = parseStatus(body);
    super(`${what}: ${status} ${parsed?.message ?? excerpt(body)}`);
    this.status = status;
    this.body = parsed;
  }
}

/** No response: refused, reset, or timed out. It is unknown whether the request was carried out. */
export class ApiUnreachable extends Error {
  override readonly name = "ApiUnreachable";

  constructor(what: string, cause: unknown) {
    super(`${what}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Whether `error` proves that no object of that type and name exists. A 404 for a path that is not served (its definition is gone), from a
 * proxy, or about another object proves nothing. A 403 proves nothing either.
 */
export function isAbsence(error: unknown, type: ResourceType, name: string): boolean {
  if (!(error instanceof ApiRefused) || error.status !== 404) return false;
  const { reason, details } = error.body ?? {};
  const isOfGroup = (details?.group ?? "") === groupOf(type);
  return reason === "NotFound" && details?.name === name && details.kind === type.plural && isOfGroup;
}

/** The object was changed meanwhile, or an object of that name exists, or it has another uid. */
export const isConflict = (error: unknown): boolean => error instanceof ApiRefused && error.status === 409;

export const isForbidden = (error: unknown): boolean => error instanceof ApiRefused && error.status === 403;

/** The same write will always be refused. For a field that the schema does not know, server-side apply returns 500. */
export function isUnacceptable({ status, body }: ApiRefused): boolean {
  if (body?.message?.startsWith("failed to create typed patch object") === true) return true;
  return status >= 400 && status < 500 && status !== 409 && status !== 429;
}

const groupOf = ({ apiVersion }: ResourceType): string =>
  apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";

function parseStatus(body: string): Status | undefined {
  try {
    const parsed = JSON.parse(body) as Status | null;
    return parsed?.kind === "Status" ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const excerpt = (body: string): string =>
  body === "" ? "without a body" : JSON.stringify(body.trim().slice(0, 200));

/** The message of `fetch` is only "fetch failed"; the reason is in the cause. */
function reasonOf(cause: unknown): string {
  let innermost = cause;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  if (!(innermost instanceof Error)) return String(innermost);
  if (innermost.message !== "") return innermost.message;
  return (innermost as { readonly code?: string }).code ?? innermost.name;
}
