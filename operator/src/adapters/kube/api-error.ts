/** What goes wrong between us and the API server, as errors that say what, which and what was expected. */
import type { ResourceType } from "./resource-type.ts";

/** The `Status` that the API server answers with where it refuses (Kubernetes API conventions, "Error status codes"). */
export interface Status {
  readonly kind: "Status";
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly name?: string; readonly group?: string; readonly kind?: string };
}

/** The API server answered, and refused. */
export class ApiRefused extends Error {
  override readonly name = "ApiRefused";
  /** HTTP status. */
  readonly status: number;
  /** Undefined where the answer was no `Status`: a proxy's, or for a path that is not served. */
  readonly said: Status | undefined;

  /** `what`: the request in words, such as `GET SipUser tel/alice`. */
  constructor(what: string, status: number, body: string) {
    const said = parseStatus(body);
    super(`${what}: ${status} ${said?.message ?? excerpt(body)}`);
    this.status = status;
    this.said = said;
  }
}

/** Nothing was answered: refused, reset, timed out. Whether the request was carried out is unknown. */
export class ApiUnreachable extends Error {
  override readonly name = "ApiUnreachable";

  constructor(what: string, cause: unknown) {
    super(`${what}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Whether `error` proves that there is no object of that type and name. A 404 of a path that is not served (its definition is gone), of
 * a proxy, or about another object proves nothing, and neither does a 403.
 */
export function isAbsence(error: unknown, type: ResourceType, name: string): boolean {
  if (!(error instanceof ApiRefused) || error.status !== 404) return false;
  const { reason, details } = error.said ?? {};
  const isOfGroup = (details?.group ?? "") === groupOf(type);
  return reason === "NotFound" && details?.name === name && details.kind === type.plural && isOfGroup;
}

/** Someone else wrote meanwhile, or an object of that name is there, or has another uid. */
export const isConflict = (error: unknown): boolean => error instanceof ApiRefused && error.status === 409;

export const isForbidden = (error: unknown): boolean => error instanceof ApiRefused && error.status === 403;

/** What was written can never be taken as it is. Server-side apply says 500 of a field that the schema does not know. */
export function isUnacceptable({ status, said }: ApiRefused): boolean {
  if (said?.message?.startsWith("failed to create typed patch object") === true) return true;
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
  body === "" ? "without a word" : JSON.stringify(body.trim().slice(0, 200));

/** `fetch` says "fetch failed" and hides the reason in the cause. */
function reasonOf(cause: unknown): string {
  let innermost = cause;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  if (!(innermost instanceof Error)) return String(innermost);
  if (innermost.message !== "") return innermost.message;
  return (innermost as { readonly code?: string }).code ?? innermost.name;
}
