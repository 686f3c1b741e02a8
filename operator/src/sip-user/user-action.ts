/** Actions of the operator for a SipUser. */
import type { Account, Credential, UserSettings } from "../adapters/mysql/user-rows.ts";
import type { Owner } from "../ownership.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { UserFields } from "./resource.ts";

export type UserAction =
  | { readonly do: "generatePassword"; readonly secret: ObjectKey; readonly key: string }
  | { readonly do: "claim" | "release"; readonly name: string }
  | {
      readonly do: "insertSubscriber" | "updateSubscriber";
      readonly account: Account;
      readonly credential: Credential;
    }
  | { readonly do: "deleteSubscriber" | "removeBindings"; readonly account: Account }
  | { readonly do: "saveSettings"; readonly account: Account; readonly settings: UserSettings }
  | { readonly do: "insertAlias" | "deleteAlias"; readonly account: Account; readonly alias: string }
  | { readonly do: "saveOwner" | "handOver"; readonly owner: Owner<UserFields> }
  | { readonly do: "removeOwner" };
