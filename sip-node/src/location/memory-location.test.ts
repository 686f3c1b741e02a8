/** The in-memory store for tests behaves as the one on MySQL. */
import { locationContract } from "../../../test/support/location-contract.ts";
import { MemoryLocation } from "../../../test/support/memory-location.ts";
import type { LocationStore } from "./location-store.ts";

locationContract("in memory", async () => {
  let memory = new MemoryLocation();
  const store: LocationStore = {
    resolve: (names) => memory.resolve(names),
    bindings: (aors) => memory.bindings(aors),
    bindingsById: (ids) => memory.bindingsById(ids),
    bindingsByContact: (key, limit) => memory.bindingsByContact(key, limit),
    accountChanges: () => memory.accountChanges(),
    names: (kind, after, limit) => memory.names(kind, after, limit),
    dialogTargets: (ids) => memory.dialogTargets(ids),
    storeDialogTargets: (targets) => memory.storeDialogTargets(targets),
    commit: (changes) => memory.commit(changes),
  };
  return {
    stores: [store, store],
    addDomain: async (name, domain) => memory.addDomain(name, domain),
    addUser: async (username, domain, user) => memory.addUser(username, domain, user),
    addAlias: async (alias, of) => memory.addAlias(alias, of),
    clear: async () => void (memory = new MemoryLocation()),
    stop: async () => {},
  };
});
