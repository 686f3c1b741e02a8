/**
 * The Secrets that this process generated and that the watch has not reported yet. Their users were reconciled with them already, so the
 * report needs no other reconcile. Pure.
 */
import type { ObjectKey } from "../runtime/object.ts";
import type { Secret } from "../runtime/source.ts";

export class OwnSecrets {
  readonly #generated = new Map<ObjectKey, { readonly version: string; readonly user: ObjectKey }>();

  /** `reported`: the version that the watch has reported; undefined: none. A Secret that no watch reports is not stored. */
  add(key: ObjectKey, { resourceVersion, isWatched }: Secret, user: ObjectKey, reported?: string): void {
    if (isWatched && resourceVersion !== undefined && reported !== resourceVersion)
      this.#generated.set(key, { version: resourceVersion, user });
  }

  /** The watch reports a change of the Secret. Returns the user that knows this version; undefined: every user must read it. */
  report(key: ObjectKey, version: string | undefined): ObjectKey | undefined {
    const own = this.#generated.get(key);
    this.#generated.delete(key);
    return own?.version === version ? own?.user : undefined;
  }
}
