/** Phones on TCP and on UDP call each other through two nodes with one address (RFC 3261 §18, RFC 5626, RFC 5658). */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { total } from "../../../cli/src/up/metrics.ts";
import { describeWith } from "../../support/needs.ts";
import type { Phone } from "../../support/phone.ts";
import { header, headerList, status } from "../../support/sip-text.ts";
import { TestCluster } from "../../support/test-cluster.ts";

const domain = "parts.example";
const names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

describeWith(["mariadb"], "TCP", () => {
  let cluster: TestCluster;
  const phones = new Set<Phone>();

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 2, tcp: true });
    await cluster.insertUsers(domain, names);
  });
  afterAll(async () => {
    for (const phone of phones) phone[Symbol.dispose]();
    await cluster[Symbol.asyncDispose]();
  });

  async function register(name: string, transport: "udp" | "tcp"): Promise<Phone> {
    const phone = await cluster.phone(name, domain, { transport });
    phones.add(phone);
    const response = await phone.register();
    expect(response.startLine).toBe("SIP/2.0 200 OK");
    return phone;
  }

  /** The kernel chooses the node: another connection is opened until it is this one. */
  async function registerAt(node: number, name: string): Promise<Phone> {
    for (let attempt = 0; attempt < 40; attempt++) {
      const before = (await connections())[node]!;
      const phone = await cluster.phone(name, domain, { transport: "tcp" });
      if ((await connections())[node]! > before) {
        phones.add(phone);
        expect((await phone.register()).startLine).toBe("SIP/2.0 200 OK");
        return phone;
      }
      phone[Symbol.dispose]();
    }
    throw new Error(`no connection to node ${node} in 40 attempts`);
  }

  /** The open connections of each node. */
  const connections = (): Promise<number[]> =>
    Promise.all(
      cluster.nodes.map(async (node) => total(await cluster.metrics(node), "strowger_connections", {})),
    );
  const closed = async (reason: string): Promise<number> => {
    const counts = cluster.nodes.map(async (node) =>
      total(await cluster.metrics(node), "strowger_connections_closed_total", { reason }),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };

  async function callAndHangUp(caller: Phone, called: Phone): Promise<void> {
    const before = [called.count("INVITE"), called.count("ACK"), called.count("BYE")];
    const dialog = await caller.call(called.login.username);
    const pair = `${caller.login.username} calls ${called.login.username}`;
    await expect.poll(() => called.count("ACK"), { message: pair }).toBe(before[1]! + 1);
    expect(status(await caller.inDialog("BYE", dialog).final)).toBe(200);
    expect([called.count("INVITE"), called.count("BYE")]).toEqual([before[0]! + 1, before[2]! + 1]);
  }

  test("a phone on TCP and one on UDP call each other; each side's route names its own transport", async () => {
    const alice = await register("alice", "tcp");
    const bob = await register("bob", "udp");
    await callAndHangUp(alice, bob);
    await callAndHangUp(bob, alice);
    const invite = alice.received.find(({ message }) => message.startLine.startsWith("INVITE "))!.message;
    expect(header(invite, "via")).toMatch(/^SIP\/2\.0\/TCP /);
    const [first, second, ...others] = headerList(invite, "record-route");
    expect(first).toContain(";transport=tcp;lr>");
    expect(second).toMatch(/^<sip:[^;]+;lr>$/);
    expect(others).toEqual([]);
    const rows = await cluster.database.query<{ socket: string; received: string }>(
      "SELECT socket, received FROM location WHERE username = 'alice'",
    );
    expect(rows[0]?.socket).toMatch(/^tcp:127\.0\.0\.1:\d+$/);
    expect(rows[0]?.received).toMatch(/;transport=tcp$/);
  });

  test("phones whose connections are at different nodes call each other", async () => {
    const open: Phone[] = [];
    for (const [i, name] of names.slice(2, 7).entries()) open.push(await registerAt(i % 2, name));
    console.log("connections of node-a and node-b:", await connections());
    for (const caller of open)
      for (const called of open) if (caller !== called) await callAndHangUp(caller, called);
    const relayed = await Promise.all(
      cluster.nodes.map(async (node) =>
        total(await cluster.metrics(node), "strowger_relays_total", { direction: "sent" }),
      ),
    );
    console.log("messages relayed by node-a and node-b:", relayed);
    expect(relayed.every((count) => count > 0)).toBe(true);
  });

  test("a call to a phone whose connection is closed gets 480 at once; with a new connection it is reachable", async () => {
    const [carol, dave] = [...phones].filter(({ login }) => ["carol", "dave"].includes(login.username));
    const before = await connections();
    dave![Symbol.dispose]();
    phones.delete(dave!);
    await expect
      .poll(async () => (await connections()).reduce((a, b) => a + b))
      .toBe(before[0]! + before[1]! - 1);
    expect(status(await carol!.invite("dave").final)).toBe(480);
    const again = await register("dave", "tcp");
    await callAndHangUp(carol!, again);
  });

  /** Sends bytes on a new connection. Resolves with what came back when it is closed, or after 300 ms. */
  async function exchangeBytes(...parts: readonly string[]): Promise<{ text: string; isClosed: boolean }> {
    const { address, port } = cluster.nodes[0]!.sip;
    const socket = connect({ host: address, port });
    socket.on("error", () => {});
    await once(socket, "connect");
    let text = "";
    socket.on("data", (bytes) => (text += bytes.toString("latin1")));
    for (const part of parts) {
      socket.write(part, "latin1");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.race([once(socket, "close"), new Promise((resolve) => setTimeout(resolve, 300))]);
    const isClosed = socket.closed;
    socket.destroy();
    return { text, isClosed };
  }
  const options = (length: string): string =>
    [
      ...["OPTIONS sip:parts.example SIP/2.0", "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1"],
      ...[
        "From: <sip:x@x>;tag=1",
        "To: <sip:parts.example>",
        "Call-ID: 1",
        "CSeq: 1 OPTIONS",
        length,
        "",
        "",
      ],
    ].join("\r\n");

  test("a ping gets a pong, two requests in one segment two answers, and one in pieces one", async () => {
    expect(await exchangeBytes("\r\n\r\n")).toEqual({ text: "\r\n", isClosed: false });
    const whole = options("Content-Length: 0");
    const two = await exchangeBytes(whole + whole.replace("CSeq: 1", "CSeq: 2").replace("bK1", "bK2"));
    expect(two.text.match(/^SIP\/2\.0 200 OK\r$/gm)).toHaveLength(2);
    const pieces = [whole.slice(0, 30), whole.slice(30, 100), whole.slice(100)];
    expect((await exchangeBytes(...pieces)).text).toMatch(/^SIP\/2\.0 200 OK\r\n/);
  });

  test("a connection on which the next message cannot be found is closed and counted; other phones are served", async () => {
    const before = await closed("malformed");
    for (const wrong of [options("X: 1"), options("Content-Length: -1"), `${"x".repeat(70_000)}`])
      expect(await exchangeBytes(wrong)).toEqual({ text: "", isClosed: true });
    expect(await closed("malformed")).toBe(before + 3);
    const [carol, erin] = [...phones].filter(({ login }) => ["carol", "erin"].includes(login.username));
    await callAndHangUp(carol!, erin!);
  });

  test("many connections of one address that say nothing are refused; a phone that registered before is served", async () => {
    const { address, port } = cluster.nodes[0]!.sip;
    const before = await closed("source");
    const sockets = Array.from({ length: 600 }, () =>
      connect({ host: address, port, localAddress: "127.0.0.9" }),
    );
    for (const socket of sockets) socket.on("error", () => {});
    await expect.poll(() => closed("source"), { timeout: 10_000 }).toBeGreaterThanOrEqual(before + 200);
    const [carol, erin] = [...phones].filter(({ login }) => ["carol", "erin"].includes(login.username));
    await callAndHangUp(carol!, erin!);
    for (const socket of sockets) socket.destroy();
  });

  test("a node drains: a call that rings through it is answered, then its phones connect to the other node and are reachable", async () => {
    const user = (name: string): Phone => [...phones].find(({ login }) => login.username === name)!;
    const leaving = cluster.nodes[0]!;
    const caller = await registerAt(0, "heidi");
    const ringing = user("erin");
    ringing.answering = "ring";
    const call = caller.invite("erin");
    await expect.poll(() => ringing.count("INVITE")).toBeGreaterThan(0);
    leaving.child.process.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(caller.isDisconnected).toBe(false);
    for (const served of ringing.served.values()) served.answer(200, "OK");
    expect(status(await call.final)).toBe(200);

    await expect.poll(() => caller.isDisconnected, { timeout: 40_000 }).toBe(true);
    const moved = [...phones].filter((phone) => phone.isDisconnected);
    for (const phone of moved) {
      phones.delete(phone);
      phone[Symbol.dispose]();
      await register(phone.login.username, "tcp");
    }
    await leaving.child.exited;
    console.log(
      `${moved.length} of ${phones.size} phones were on node-a and connected again; connections of node-b:`,
      total(await cluster.metrics(cluster.nodes[1]!), "strowger_connections", {}),
    );
    expect(moved.length).toBeGreaterThan(1);
    const erin = user("erin");
    erin.answering = "answer";
    for (const phone of phones) if (phone !== erin) await callAndHangUp(phone, erin);
    for (const phone of phones) if (phone !== erin) await callAndHangUp(erin, phone);
  }, 90_000);
});
