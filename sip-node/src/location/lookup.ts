/** The look-ups of the registrar and the proxy, which `location.ts` answers. */
import type { Aor, Resolution } from "./account.ts";
import type { AorBindings, Binding, OwnedBinding } from "./binding.ts";
import type { DialogTarget } from "./dialog-target.ts";

/** A promise rejects only with `StoreUnavailable` or `QueueFull`. */
export interface Lookup {
  resolve(name: Aor): Promise<Resolution>;
  /**
   * For a request without credentials, which is challenged in any case: the user if the copy has it, otherwise the domain only. So the response
   * time does not show whether the user exists.
   */
  resolveUnproven(name: Aor): Promise<Resolution>;
  /**
   * Before a wrong password is refused: reads the users that a copy answered, because another tool may have changed them. Returns whether one of
   * them has changed. Never rejects.
   */
  refresh(names: readonly Aor[]): Promise<boolean>;
  bindings(aor: Aor): Promise<AorBindings>;
  /** The binding of a `contact_id`, expired or not. */
  bindingById(id: string): Promise<Binding | undefined>;
  /** Current bindings of all users whose contact has this `contactKey`; empty when more than `maxSameContact` have it. */
  bindingsByContact(key: string): Promise<readonly OwnedBinding[]>;
  /** The new address of a side of a dialog; undefined: it sent no target refresh. */
  dialogTarget(sideId: string): Promise<DialogTarget | undefined>;
  /** Resolves when every node can read it. */
  storeDialogTarget(target: DialogTarget): Promise<void>;
}

export type LookupKind = "user" | "bindings" | "binding" | "contact" | "dialog";
/** `away`: answered from the copy because the database is away. `unavailable`: not answered. */
export type LookupResult = "copy" | "database" | "away" | "unavailable";
