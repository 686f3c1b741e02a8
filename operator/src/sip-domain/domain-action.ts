/** Actions of the operator for a SipDomain. */
import type { DomainSettings } from "../adapters/mysql/domain-rows.ts";
import type { Owner } from "../ownership.ts";
import type { DomainFields } from "./resource.ts";

export type DomainAction =
  | { readonly do: "claim" | "release" | "insertDomain" | "deleteDomain"; readonly name: string }
  | { readonly do: "saveSettings"; readonly row: DomainSettings }
  | { readonly do: "saveOwner"; readonly owner: Owner<DomainFields> }
  | { readonly do: "removeOwner" };
