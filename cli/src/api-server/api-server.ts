/**
 * The Kubernetes API server as a pod reaches it: `fetch` and the token of its service account. The token's file is read at each request,
 * because the kubelet replaces it; the server's certificate is trusted by NODE_EXTRA_CA_CERTS.
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

export interface ApiServerPlan {
  /** Without a path: `https://10.96.0.1:443`, or what `kubectl proxy` listens on. */
  readonly url: string;
  /** Undefined: requests carry no token. */
  readonly tokenFile: string | undefined;
}

/** The API server refused: `status` is HTTP's, `message` has its words. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, what: string, words: string) {
    super(`${what}: ${status} ${words}`);
    this.name = "Refused";
    this.status = status;
  }
}

const patienceMs = 20_000;
const pageSize = 500;

export class ApiServer {
  readonly #plan: ApiServerPlan;

  constructor(plan: ApiServerPlan) {
    this.#plan = plan;
  }

  /** Undefined where the server says that it is not there: the object, or its kind. */
  async get<Found extends ApiObject>(path: string): Promise<Found | undefined> {
    return await orAbsent(this.#ask<Found>("GET", path));
  }

  /** Every object, page by page; undefined where the server does not serve such a kind. `path` may have a query. */
  async list<Found extends ApiObject>(path: string): Promise<readonly Found[] | undefined> {
    const pages: (readonly Found[])[] = [];
    let next = "";
    do {
      const query = `${path.includes("?") ? "&" : "?"}limit=${pageSize}${next}`;
      const page = await orAbsent(this.#ask<Page<Found>>("GET", `${path}${query}`));
      if (page === undefined) return undefined;
      pages.push(page.items);
      const token = page.metadata.continue ?? "";
      next = token === "" ? "" : `&continue=${encodeURIComponent(token)}`;
    } while (next !== "");
    return pages.flat();
  }

  async create<Made extends ApiObject>(path: string, body: unknown): Promise<Made> {
    return await this.#ask<Made>("POST", path, body, "application/json");
  }

  /** A JSON merge patch (RFC 7386). Undefined where the object is gone. */
  async merge<Found extends ApiObject>(path: string, patch: unknown): Promise<Found | undefined> {
    return await orAbsent(this.#ask<Found>("PATCH", path, patch, "application/merge-patch+json"));
  }

  /** Done also where the object is gone already. */
  async remove(path: string): Promise<void> {
    await orAbsent(this.#ask("DELETE", path));
  }

  async #ask<Answer>(method: string, path: string, body?: unknown, type?: string): Promise<Answer> {
    const { url, tokenFile } = this.#plan;
    const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim();
    const headers = {
      accept: "application/json",
      ...(type === undefined ? {} : { "content-type": type }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const signal = AbortSignal.timeout(patienceMs);
    const request = {
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await fetch(`${url}${path}`, request).catch((error: unknown) => {
      throw new Error(`${method} ${url}${path}: ${reasonOf(error)}`, { cause: error });
    });
    const text = await response.text();
    if (!response.ok) throw new Refused(response.status, `${method} ${path}`, wordsOf(text));
    return JSON.parse(text) as Answer;
  }
}

interface Page<Found> {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly Found[];
}

async function orAbsent<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}

/** The message of a `Status`, else the first line of whatever it was. */
function wordsOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: string };
    if (typeof message === "string") return message;
  } catch {
    // no JSON: a proxy's page
  }
  return text.split("\n", 1)[0]?.slice(0, 200) ?? "";
}

/** fetch says "fetch failed" and hides why in `cause`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { readonly message: string; readonly cause?: { message?: string } };
  return cause?.message ?? message;
}
