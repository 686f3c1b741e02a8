/** Users and bindings in maps: look-ups that cost almost nothing, so that a measurement shows the rest of the node. It counts its look-ups. */
import {
  type Account,
  type Aor,
  aorText,
  defaultRegistration,
  type Domain,
  type Resolution,
} from "../../../sip-node/src/location/account.ts";
import type { AorBindings, BindingChange, CommitOutcome } from "../../../sip-node/src/location/binding.ts";
import type { Location, Lookup } from "../../../sip-node/src/location/location.ts";

export type LookUp = Lookup & Pick<Location, "commit" | "confirm">;

export const domainName = "bench.example";

const domain: Domain = {
  name: domainName,
  realm: domainName,
  isEnabled: true,
  registration: defaultRegistration,
  algorithms: ["MD5"],
  anonymousCallers: "Allow",
};

const none: AorBindings = { version: 0, bindings: [] };

export class InMemoryLocation implements LookUp {
  private readonly accounts = new Map<string, Resolution>();
  private readonly bindingLists = new Map<string, AorBindings>();

  addUser(username: string, ha1: string): void {
    const { realm, algorithms, registration } = domain;
    const secrets = {
      ha1,
      ha1Sha256: undefined,
      ha1b: undefined,
      ha1bSha256: undefined,
      password: undefined,
    };
    const settings = { realm, algorithms, registration, isEnabled: true };
    const account: Account = { username, domain: domainName, ...secrets, ...settings };
    this.accounts.set(aorText(account), { domain, account });
  }

  resolve(name: Aor): Promise<Resolution> {
    const unknown = { domain: name.domain === domainName ? domain : undefined, account: undefined };
    return Promise.resolve(this.accounts.get(aorText(name)) ?? unknown);
  }

  bindings(aor: Aor): Promise<AorBindings> {
    return Promise.resolve(this.bindingLists.get(aorText(aor)) ?? none);
  }

  commit({ aor, version, bindings }: BindingChange): Promise<CommitOutcome> {
    const known = this.bindingLists.get(aorText(aor)) ?? none;
    if (known.version !== version) return Promise.resolve("conflict");
    const changed = new Set(bindings.map(({ id }) => id));
    const others = known.bindings.filter(({ id }) => !changed.has(id));
    this.bindingLists.set(aorText(aor), { version: version + 1, bindings: [...others, ...bindings] });
    return Promise.resolve("committed");
  }

  confirm(): Promise<void> {
    return Promise.resolve();
  }

  bindingById(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  bindingsByContact(): Promise<readonly []> {
    return Promise.resolve([]);
  }

  dialogTarget(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  storeDialogTarget(): Promise<void> {
    return Promise.resolve();
  }
}
