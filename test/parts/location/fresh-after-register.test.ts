/**
 * P2 with real nodes: a phone moves to another contact and flow by a REGISTER through one node. Calls through the other nodes, right after its 200
 * OK arrived, reach the new contact, and those nodes answer them from their copies.
 *
 * STROWGER_CALLS is the number of calls.
 */
import { expect, test } from "vitest";
import { total } from "../../../cli/src/up/metrics.ts";
import { describeWith } from "../../support/needs.ts";
import type { Phone } from "../../support/phone.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { header, status } from "../../support/sip-text.ts";
import { TestCluster, type TestClusterNode } from "../../support/test-cluster.ts";

const calls = Number(process.env["STROWGER_CALLS"] ?? 1_200);
const domain = "parts.example";
const users = ["alice", "bob", "carol", "dave", "erin", "frank"];
/** Calls from this address are not challenged. */
const trunk = "127.0.0.90";

describeWith(["mariadb"], "calls right after a REGISTER through another node", () => {
  test(
    `${calls} calls, none to the former contact`,
    async () => {
      await using cluster = await TestCluster.start({ front: "balancer", nodes: 3, peers: [trunk] });
      await cluster.insertUsers(domain, users);
      using phones = new Phones();
      const callers = await Promise.all(
        cluster.nodes.map((node) => phones.open(cluster, "trunk", node, trunk)),
      );
      const wrong: string[] = [];
      let left = calls;
      await Promise.all(
        users.map(async (user) => {
          const random = seededRandom(user);
          const devices = await Promise.all(
            cluster.nodes.map((node) => phones.open(cluster, user, node, "127.0.0.1")),
          );
          for (let former = devices[0]; left > 0 && wrong.length === 0; ) {
            const device = random.pick(devices.filter((one) => one !== former));
            for (const one of devices) one.received.length = 0;
            const registered = await move(device, former);
            if (registered !== 200) wrong.push(`${user} registers: ${registered}`);
            former = device;
            const others = callers.filter((caller) => phones.nodeOf(caller) !== phones.nodeOf(device));
            left -= others.length;
            await Promise.all(
              others.map(async (caller) => {
                const invite = caller.invite(`sip:${user}@${domain}`);
                const code = status(await invite.final);
                const reached = devices.filter((one) =>
                  one.received.some(({ message }) => header(message, "call-id") === invite.callId),
                );
                if (code === 486 && reached.length === 1 && reached[0] === device) return;
                const [at, to] = [caller, device].map((phone) => phones.nodeOf(phone));
                wrong.push(`${code} at ${at} for ${user}, who moved to ${to}; reached: ${reached.length}`);
              }),
            );
          }
        }),
      );
      expect(wrong).toEqual([]);
      const metrics = await Promise.all(cluster.nodes.map((node) => cluster.metrics(node)));
      const answered = (result: string) =>
        metrics.map((samples) => total(samples, "strowger_copy_lookups_total", { kind: "bindings", result }));
      console.log(`${calls} calls; look-ups of bindings by node:`, {
        copy: answered("copy"),
        database: answered("database"),
      });
      for (const count of answered("copy")) expect(count).toBeGreaterThan(calls / 10);
    },
    60_000 + calls * 30,
  );
});

/** Registers this device instead of the former one. Resolves with the status. */
async function move(device: Phone, former: Phone | undefined): Promise<number> {
  const removal =
    former === undefined || former === device ? [] : [["Contact", `<${former.contact}>;expires=0`] as const];
  const { username } = device.login;
  const { final } = device.authorised("REGISTER", `sip:${domain}`, {
    to: `<sip:${username}@${domain}>`,
    headers: [["Contact", `<${device.contact}>;expires=300`], ...removal],
  });
  return status(await final);
}

class Phones implements Disposable {
  readonly #nodes = new Map<Phone, string>();

  /** A phone that sends to one node, without the balancer, and is busy. */
  async open(cluster: TestCluster, user: string, node: TestClusterNode, address: string): Promise<Phone> {
    const options = { address, behindNat: false, answering: "busy" } as const;
    const phone = await cluster.phone(user, address === trunk ? "trunk.example" : domain, options);
    const send = phone.send.bind(phone);
    phone.send = (text, to = node.sip) => send(text, to);
    this.#nodes.set(phone, node.name);
    return phone;
  }

  nodeOf(phone: Phone): string {
    return this.#nodes.get(phone) ?? "";
  }

  [Symbol.dispose](): void {
    for (const phone of this.#nodes.keys()) phone[Symbol.dispose]();
  }
}
