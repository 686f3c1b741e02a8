/** The contract of `UdpSocket`, with each engine on real sockets. The tests assert counts and order, never time. */
import { readdirSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildUdpAddon } from "../../../native/udp/build.mjs";
import { openUdp } from "../../../sip-node/src/adapters/udp/open-udp.ts";
import type { UdpEngine, UdpOptions, UdpSocket } from "../../../sip-node/src/adapters/udp/udp-socket.ts";
import type { Flow } from "../../../sip-node/src/wire/flow.ts";
import { findCommand } from "../../../cli/src/setup/tools.ts";

const engines: readonly UdpEngine[] =
  findCommand("cc") === undefined && process.env["CI"] !== "true" ? ["dgram"] : ["dgram", "batched"];

beforeAll(() => {
  if (engines.includes("batched")) expect(buildUdpAddon()).toMatch(/^(compiled|up to date)$/);
});

describe.each(engines)("engine %s", (engine) => {
  const opened: UdpSocket[] = [];
  const errors: Error[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((socket) => socket.close()));
    errors.length = 0;
  });

  const open = async (options: Partial<UdpOptions> = {}): Promise<UdpSocket> => {
    const buffers = { receiveBuffer: 1 << 22, sendBuffer: 1 << 22 };
    const all = { host: "127.0.0.1", port: 0, reusePort: false, ...buffers, ...options };
    const socket = await openUdp(all, engine, (error) => errors.push(error));
    opened.push(socket);
    return socket;
  };

  /** A socket that keeps what it receives. */
  const openReceiver = async (options: Partial<UdpOptions> = {}) => {
    const socket = await open(options);
    const received: { readonly bytes: Buffer; readonly flow: Flow }[] = [];
    socket.receiveBytes((bytes, flow) => received.push({ bytes, flow }));
    return { socket, received };
  };

  test("names itself and its port", async () => {
    const socket = await open();
    expect(socket.engine).toBe(engine);
    expect(socket.port).toBeGreaterThan(0);
  });

  test.each([
    ["127.0.0.1", "udp:127.0.0.1"],
    ["::1", "udp:[::1]"],
  ])("a datagram arrives with the flow of its sender (%s)", async (host, key) => {
    const { socket, received } = await openReceiver({ host });
    const sender = await open({ host });
    sender.send("REGISTER", host, socket.port);
    await until(() => received.length === 1);
    expect(received[0]?.bytes.toString()).toBe("REGISTER");
    expect(received[0]?.flow).toEqual({
      transport: "udp",
      address: host,
      port: sender.port,
      key: `${key}:${sender.port}`,
    });
  });

  test("an IPv4 sender of an IPv6 socket has the address that Node writes", async () => {
    const { socket, received } = await openReceiver({ host: "::" });
    const sender = await open();
    sender.send("x", "127.0.0.1", socket.port);
    await until(() => received.length === 1);
    expect(received[0]?.flow.address).toBe("::ffff:127.0.0.1");
  });

  test("a string is sent as Latin-1 text, and bytes as they are", async () => {
    const { socket, received } = await openReceiver();
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    socket.send(Buffer.from(all).toString("latin1"), "127.0.0.1", socket.port);
    socket.send(all, "127.0.0.1", socket.port);
    socket.send(Buffer.concat([Buffer.from("head"), all]).subarray(4), "127.0.0.1", socket.port);
    socket.send("", "127.0.0.1", socket.port);
    await until(() => received.length === 4);
    expect(received.map(({ bytes }) => [...bytes])).toEqual([[...all], [...all], [...all], []]);
  });

  test("bytes given to send may be changed afterwards", async () => {
    const { socket, received } = await openReceiver();
    const bytes = Buffer.from("before");
    socket.send(bytes, "127.0.0.1", socket.port);
    if (engine === "batched") bytes.write("after!");
    await until(() => received.length === 1);
    expect(received[0]?.bytes.toString()).toBe("before");
  });

  test.each([1, 9216, 65_507])("a datagram of %d bytes arrives whole", async (length) => {
    const { socket, received } = await openReceiver();
    const bytes = Buffer.alloc(length, "0123456789");
    socket.send(bytes, "127.0.0.1", socket.port);
    await until(() => received.length === 1);
    expect(received[0]?.bytes.equals(bytes)).toBe(true);
  });

  test("the order for a destination is kept, across turns of the event loop and more than one batch", async () => {
    const { socket, received } = await openReceiver();
    const sender = await open();
    let next = 0;
    const send = (count: number) => {
      for (let i = 0; i < count; i++) sender.send(`${next++}`, "127.0.0.1", socket.port);
    };
    send(150);
    await Promise.resolve();
    send(70);
    await new Promise((done) => setImmediate(done));
    send(3);
    await new Promise((done) => setTimeout(done, 1));
    send(200);
    await until(() => received.length === next);
    expect(received.map(({ bytes }) => Number(bytes.toString()))).toEqual(
      Array.from({ length: next }, (_, i) => i),
    );
  });

  test("received bytes stay what they were when more arrives", async () => {
    const { socket, received } = await openReceiver();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 64; i++) socket.send(`${round}/${i} `.repeat(20), "127.0.0.1", socket.port);
      await until(() => received.length === (round + 1) * 64);
    }
    const expected = received.map((_, i) => `${Math.floor(i / 64)}/${i % 64} `.repeat(20));
    expect(received.map(({ bytes }) => bytes.toString())).toEqual(expected);
  });

  // Of 400 sources some share a place in the addon's table of 8192 with high probability, and displace each other in each round
  test("every sender of many keeps its own flow, also when senders alternate", async () => {
    const { socket, received } = await openReceiver();
    const senders = await Promise.all(
      Array.from({ length: 400 }, () => openUdp(optionsOf(0), "dgram", () => {})),
    );
    for (let round = 0; round < 3; round++)
      for (const sender of senders) sender.send(`${sender.port}`, "127.0.0.1", socket.port);
    await until(() => received.length === 1200);
    await Promise.all(senders.map((sender) => sender.close()));
    for (const { bytes, flow } of received) expect(flow.key).toBe(`udp:127.0.0.1:${bytes.toString()}`);
  });

  test("an error of one datagram is reported, and the others arrive", async () => {
    const { socket, received } = await openReceiver();
    const { port } = socket;
    socket.send("1", "127.0.0.1", port);
    socket.send(Buffer.alloc(65_508), "127.0.0.1", port); // EMSGSIZE
    socket.send("2", "::1", port); // another family
    socket.send("3", "not an address", port);
    socket.send("4", "127.0.0.1", 0);
    socket.send("5", "127.0.0.1", 70_000);
    socket.send("6", "255.255.255.255", port); // EACCES: no permission to broadcast
    socket.send("7", "127.0.0.1", port);
    await until(() => received.length === 2 && errors.length === 6);
    expect(received.map(({ bytes }) => bytes.toString())).toEqual(["1", "7"]);
    expect(socket.drops()).toEqual({ received: 0, sent: 6 });
    const codes = errors.map((error) => (error as NodeJS.ErrnoException).code);
    expect(codes).toContain("EMSGSIZE");
    expect(codes).toContain("EACCES");
  });

  test("a destination that nobody listens on is no error and does not disturb the next datagrams", async () => {
    const { socket, received } = await openReceiver();
    const gone = await openUdp(optionsOf(0), engine, (error) => errors.push(error));
    await gone.close();
    for (let i = 0; i < 10; i++) socket.send("x", "127.0.0.1", gone.port);
    await new Promise((done) => setImmediate(done));
    socket.send("y", "127.0.0.1", socket.port);
    await until(() => received.length === 1);
    expect(errors).toEqual([]);
  });

  test("an exception of the receiver does not lose the other datagrams of its batch", async () => {
    const socket = await open();
    const caught: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => caught.push(error));
    try {
      let count = 0;
      socket.receiveBytes((bytes) => {
        count += 1;
        if (bytes.toString() === "bad") throw new Error("bad");
      });
      for (const text of ["1", "bad", "2", "bad", "3"]) socket.send(text, "127.0.0.1", socket.port);
      await until(() => count === 5 && caught.length === 2);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  test("promises settle and callbacks of process.nextTick run after a batch", async () => {
    const socket = await open();
    const events: string[] = [];
    socket.receiveBytes(() => {
      process.nextTick(() => events.push("tick"));
      void Promise.resolve().then(() => events.push("promise"));
    });
    socket.send("x", "127.0.0.1", socket.port);
    await until(() => events.length === 2);
  });

  test("no datagram is passed on before receive and after close, also when the receiver closes", async () => {
    const { socket, received } = await openReceiver();
    const other = await open();
    other.send("early", "127.0.0.1", other.port);
    await untilIdle(socket, received);
    let count = 0;
    other.receiveBytes(() => {
      count += 1;
      void other.close();
      opened.splice(opened.indexOf(other), 1);
    });
    for (let i = 0; i < 10; i++) other.send("x", "127.0.0.1", other.port);
    await untilIdle(socket, received);
    expect(count).toBe(1);
  });

  test("close sends what was given to send before, and frees the port", async () => {
    const { socket, received } = await openReceiver();
    const sender = await openUdp(optionsOf(0), engine, (error) => errors.push(error));
    for (let i = 0; i < 5; i++) sender.send(`${i}`, "127.0.0.1", socket.port);
    const { port } = sender;
    await sender.close();
    await until(() => received.length === 5);
    expect((await open({ port })).port).toBe(port);
  });

  test("a taken port rejects with EADDRINUSE; with reusePort two sockets share it", async () => {
    const { port } = await open();
    await expect(open({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    const first = await open({ reusePort: true });
    expect((await open({ reusePort: true, port: first.port })).port).toBe(first.port);
  });

  test("drops of the receive buffer are counted, and its size is as granted", async () => {
    const { socket, received } = await openReceiver({ receiveBuffer: 16_384 });
    expect(socket.receiveBuffer).toBe(16_384);
    expect(socket.drops().received).toBe(0);
    const sender = await open();
    // No turn of the event loop of the receiver in between: `dgram` sends at once, `batched` when 64 are queued
    for (let i = 0; i < 640; i++) sender.send(Buffer.alloc(1000), "127.0.0.1", socket.port);
    // Each probe arrives or is dropped too
    const probes = await untilIdle(socket, received);
    const { received: dropped = 0 } = socket.drops();
    expect(dropped).toBeGreaterThan(0);
    expect(received.length + dropped).toBe(640 + probes);
  });

  test("a thousand sockets opened and closed leave no file and no memory behind", async () => {
    const openFiles = () => readdirSync("/proc/self/fd").length;
    const before = openFiles();
    const cycle = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const socket = await openUdp(optionsOf(0), engine, (error) => errors.push(error));
        socket.send("x", "127.0.0.1", socket.port);
        await socket.close();
      }
      await new Promise((done) => setImmediate(done));
    };
    await cycle(100);
    const residentBefore = process.memoryUsage.rss();
    await cycle(1000);
    expect(openFiles()).toBeLessThanOrEqual(before);
    // 1000 leaked sockets of the addon would be 3 GB
    expect(process.memoryUsage.rss() - residentBefore).toBeLessThan(300e6);
  });

  test("a hundred thousand datagrams there and back: each once", async () => {
    const { socket: server } = await openReceiver();
    const client = await open();
    server.receiveBytes((bytes, flow) => server.send(bytes, flow.address, flow.port));
    const seen = new Uint8Array(100_000);
    let count = 0;
    let next = 0;
    const window = 200;
    const send = () => client.send(`${next++}`, "127.0.0.1", server.port);
    client.receiveBytes((bytes) => {
      const number = Number(bytes.toString());
      seen[number] = (seen[number] ?? 0) + 1;
      count += 1;
      if (next < seen.length) send();
    });
    for (let i = 0; i < window; i++) send();
    await until(() => count === seen.length);
    expect(seen.every((times) => times === 1)).toBe(true);
    expect(server.drops()).toEqual({ received: 0, sent: 0 });
  });

  const optionsOf = (port: number): UdpOptions => ({
    host: "127.0.0.1",
    port,
    reusePort: false,
    receiveBuffer: 1 << 22,
    sendBuffer: 1 << 22,
  });

  /** Everything that was sent to this process before has arrived: a probe has. Resolves with the number of probes. */
  const untilIdle = async (socket: UdpSocket, received: readonly { readonly flow: Flow }[]) => {
    const prober = await open();
    let probes = 0;
    for (let i = 0; !received.some(({ flow }) => flow.port === prober.port); i++) {
      if (i > 5000) throw new Error("the probe did not arrive");
      if (i % 50 === 0) {
        prober.send("probe", "127.0.0.1", socket.port);
        probes += 1;
      }
      await turn();
    }
    return probes;
  };
});

const turn = () => new Promise((done) => setTimeout(done, 1));

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("not within 30 s");
    await turn();
  }
}
