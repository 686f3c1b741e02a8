import { expect, it } from "vitest";
import { flowOf } from "../wire/flow.ts";
import { ClientTable } from "./client-table.ts";
import { ClientTransaction, type ClientTransactionUser } from "./client-transaction.ts";
import { defaultTimers, timerLengths } from "./timers.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { TimerEvent, TimerOwner } from "./transaction.ts";

const user: ClientTransactionUser = { receiveResponse: () => {}, clientFailed: () => {} };
const deps = {
  wheel: new TimerWheel<TimerOwner, TimerEvent>(() => {}, 0),
  lengths: timerLengths(defaultTimers),
  t2: 4_000,
  sendRequest: () => {},
  clientEnded: () => {},
};
const clientOf = (branch: string) =>
  new ClientTransaction("BYE", branch, "", flowOf("192.0.2.1", 5060), user, deps);

it("finds each of several transactions whose branches end with the same characters, also after one of them is removed", () => {
  for (const removed of [0, 1, 2]) {
    const table = new ClientTable<ClientTransactionUser>();
    const clients = ["z9hG4bKa123456", "z9hG4bKb123456", "z9hG4bKc123456"].map(clientOf);
    for (const client of clients) table.add(client);
    expect(clients.map(({ branch }) => table.get(branch))).toEqual(clients);
    const gone = clients[removed];
    if (gone !== undefined) table.remove(gone);
    expect(clients.map(({ branch }) => table.get(branch))).toEqual(
      clients.map((client) => (client === gone ? undefined : client)),
    );
    expect(table.size).toBe(2);
    for (const client of clients) table.remove(client); // the one that is gone, again
    expect(table.size).toBe(0);
  }
});

it("finds nothing by another branch, and by the empty one", () => {
  const table = new ClientTable<ClientTransactionUser>();
  table.add(clientOf("z9hG4bK1"));
  expect([table.get("z9hG4bK2"), table.get(""), table.get("xz9hG4bK1")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
