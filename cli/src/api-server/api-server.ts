/**
 * A small client of the Kubernetes API: `fetch` with the token of the pod's service account. The token file is read at each request,
 * because the kubelet replaces it. NODE_EXTRA_CA_CERTS names the CA of the server's certificate.
 */
import { readFile } from "node:fs/promises";

export interface ApiObject {
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
}

export interface ApiServerOptions {
  /** Without a path: `https://10.96.0.1:443`, or the address of `kubectl proxy`. */
  readonly url: string;
  /** Undefined: requests have no token. */
  readonly tokenFile: string | undefined;
}

/** An answer of the API server other than 2xx: `status` is the HTTP status, `message` has the request and the server's message. */
export class ApiServerError extends Error {
  readonly status: number;

  constructor(status: number, request: string, message: string) {
    super(`${request}: ${status} ${message}`);
    this.name = "ApiServerError";
    this.status = status;
  }
}

const requestTimeoutMs = 20_000;
const pageSize = 500;

export class ApiServer {
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  /** Undefined if the object or its kind does not exist (404). */
  async get<Found extends ApiObject>(path: string): Promise<Found | undefined> {
    return await undefinedIfNotFound(this.#request<Found>("GET", path));
  }

  /** All objects, read page by page. Undefined if the server does not serve the kind (404). `path` may have a query. */
  async list<Found extends ApiObject>(path: string): Promise<readonly Found[] | undefined> {
    const pages: (readonly Found[])[] = [];
    let next = "";
    do {
      const query = `${path.includes("?") ? "&" : "?"}limit=${pageSize}${next}`;
      const page = await undefinedIfNotFound(this.#request<Page<Found>>("GET", `${path}${query}`));
      if (page === undefined) return undefined;
      pages.push(page.items);
      const token = page.metadata.continue ?? "";
      next = token === "" ? "" : `&continue=${encodeURIComponent(token)}`;
    } while (next !== "");
    return pages.flat();
  }

  async create<Created extends ApiObject>(path: string, body: unknown): Promise<Created> {
    return await this.#request<Created>("POST", path, body, "application/json");
  }

  /** A JSON merge patch (RFC 7386). Undefined if the object does not exist. */
  async mergePatch<Found extends ApiObject>(path: string, patch: unknown): Promise<Found | undefined> {
    return await undefinedIfNotFound(
      this.#request<Found>("PATCH", path, patch, "application/merge-patch+json"),
    );
  }

  /** Succeeds also if the object does not exist. */
  async delete(path: string): Promise<void> {
    await undefinedIfNotFound(this.#request("DELETE", path));
  }

  async #request<Result>(method: string, path: string, body?: unknown, type?: string): Promise<Result> {
    const { url, tokenFile } = this.#options;
    const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim();
    const headers = {
      accept: "application/json",
      ...(type === undefined ? {} : { "content-type": type }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const signal = AbortSignal.timeout(requestTimeoutMs);
    const request = {
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await fetch(`${url}${path}`, request).catch((error: unknown) => {
      throw new Error(`${method} ${url}${path}: ${networkFailure(error)}`, { cause: error });
    });
    const text = await response.text();
    if (!response.ok) throw new ApiServerError(response.status, `${method} ${path}`, messageIn(text));
    return JSON.parse(text) as Result;
  }
}

interface Page<Found> {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly Found[];
}

async function undefinedIfNotFound<Result>(request: Promise<Result>): Promise<Result | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiServerError && error.status === 404) return undefined;
    throw error;
  }
}

/** The message of a Kubernetes `Status`, or the first line of any other text. */
function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: string };
    if (typeof message === "string") return message;
  } catch {
    // not JSON, for example a proxy's error page
  }
  return text.split("\n", 1)[0]?.slice(0, 200) ?? "";
}

/** The message of fetch is only "fetch failed"; the reason is in `cause`. */
function networkFailure(error: unknown): string {
  const { message, cause } = error as { readonly message: string; readonly cause?: { message?: string } };
  return cause?.message ?? message;
}
