/** The requests that an API server received, and their users, from its audit log. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface AuditedRequest {
  readonly verb: string;
  /** `sipusers`, `sipusers/status`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** HTTP status; 0 for a watch that is still open. */
  readonly code: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** A watch is logged at its start, other requests at their end. */
const policy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};

export class AuditLog implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "strowger-audit-"));

  constructor() {
    writeFileSync(join(this.#folder, "policy.json"), JSON.stringify(policy));
  }

  /** The arguments for kube-apiserver. */
  get arguments(): readonly string[] {
    return [
      `--audit-policy-file=${join(this.#folder, "policy.json")}`,
      `--audit-log-path=${join(this.#folder, "log")}`,
    ];
  }

  /** The user's requests for resources, in the order of the log. */
  requestsOf(username: string): readonly AuditedRequest[] {
    return readFileSync(join(this.#folder, "log"), "utf8")
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line) as AuditEvent & { readonly stage: string })
      .filter(
        ({ user, verb, stage }) =>
          user.username === username && (verb === "watch") === (stage === "ResponseStarted"),
      )
      .flatMap(({ verb, objectRef, responseStatus }) =>
        objectRef === undefined
          ? []
          : [
              {
                verb,
                resource: [objectRef.resource, objectRef.subresource].filter(Boolean).join("/"),
                namespace: objectRef.namespace,
                name: objectRef.name,
                code: responseStatus?.code ?? 0,
              },
            ],
      );
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
