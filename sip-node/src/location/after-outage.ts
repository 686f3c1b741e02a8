/**
 * Bindings that expired while the database was away (P7). Their phones could not refresh them, and need some time for it when the database is
 * back. Until then they count as current, if nobody changed the address of record meanwhile. Pure.
 */
import type { Ms } from "../wire/units.ts";
import { type AorBindings, isCurrent } from "./binding.ts";
import { bindingsAt, type CopyEntry } from "./binding-copy.ts";

export interface Recovery {
  /** The time by which bindings expired, when the database was away. */
  readonly expiryTime: Ms;
  /** How long their phones still have. */
  readonly left: Ms;
}

/**
 * `found`: what the database has now. `known`: what this node knew. With the same version, no phone has removed a binding: it expired. A row
 * that the operator deleted is not in `found`.
 */
export function keepUntilRefreshed(
  found: AorBindings,
  known: CopyEntry | undefined,
  recovery: Recovery | undefined,
): AorBindings {
  if (recovery === undefined || known?.version !== found.version) return found;
  if (found.bindings.every(isCurrent)) return found;
  const before = bindingsAt(known, recovery.expiryTime).bindings.filter(isCurrent);
  const ids = new Set(before.map(({ id }) => id));
  const expiresIn = Math.ceil(recovery.left / 1000);
  return {
    ...found,
    bindings: found.bindings.map((binding) =>
      isCurrent(binding) || !ids.has(binding.id) ? binding : { ...binding, expiresIn },
    ),
  };
}
