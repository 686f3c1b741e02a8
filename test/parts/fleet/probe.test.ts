/** The operator's OPTIONS probe: real nodes, addresses without an answer, and servers that are not SIP. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { afterAll, beforeAll, expect, test } from "vitest";
import { probe } from "../../../operator/src/adapters/probe/probe.ts";
import { TestCluster } from "../../support/test-cluster.ts";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ front: "balancer", nodes: 2 });
});

afterAll(() => (cluster as TestCluster | undefined)?.[Symbol.asyncDispose]());

/** A socket on 127.0.0.1 that answers every datagram with these texts. */
async function server(answers: (text: string) => readonly (string | Buffer)[]): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
    for (const answer of answers(bytes.toString("latin1"))) socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket;
}

const advertised = { host: "127.0.0.100", port: 5060 };

test("each node answers OPTIONS with 200; an address without an answer does not affect the others", async () => {
  const silent = await server(() => []);
  const nobody = { name: "silent", address: "127.0.0.1", port: silent.address().port };
  const nodes = cluster.nodes.map(({ name, sip }) => ({ name, ...sip }));
  const { address: host, port } = cluster.front;
  expect(await probe([nobody, ...nodes], { host, port })).toEqual([
    { name: "silent", status: undefined },
    ...nodes.map(({ name }) => ({ name, status: 200 })),
  ]);
  silent.close();
});

const copy = (text: string, name: string): string => new RegExp(`^${name}:.*$`, "im").exec(text)?.[0] ?? "";
const respond = (text: string, line: string, callId = copy(text, "Call-ID")): string =>
  [line, copy(text, "Via"), copy(text, "From"), copy(text, "To"), callId, copy(text, "CSeq"), "", ""].join(
    "\r\n",
  );

const noAnswers: Readonly<Record<string, Parameters<typeof server>[0]>> = {
  noise: () => [Buffer.alloc(900, 0xff), "\0", "\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n"],
  "a provisional answer only": (text) => [respond(text, "SIP/2.0 100 Trying")],
  "an answer to another request": (text) => [respond(text, "SIP/2.0 200 OK", "Call-ID: another")],
  "its own request back": (text) => [text],
  "a status that is none": (text) => [respond(text, "SIP/2.0 99999999999999999999 OK")],
};

test("an answer that is not a SIP response counts as no answer", async () => {
  const sockets = await Promise.all(Object.values(noAnswers).map(server));
  const names = Object.keys(noAnswers);
  const targets = sockets.map((socket, i) => ({
    ...{ name: names[i] ?? "", address: "127.0.0.1" },
    port: socket.address().port,
  }));
  expect(await probe(targets, advertised)).toEqual(names.map((name) => ({ name, status: undefined })));
  for (const socket of sockets) socket.close();
});

test("an invalid datagram before a response is ignored; a response with an error status is an answer too", async () => {
  const socket = await server((text) => ["\0\0\0", respond(text, "SIP/2.0 503 Service Unavailable")]);
  const target = { name: "x", address: "127.0.0.1", port: socket.address().port };
  expect(await probe([target], advertised)).toEqual([{ name: "x", status: 503 }]);
  socket.close();
});

test("addresses that cannot be probed count as no answer: IPv6, names, an empty address", async () => {
  const at = (address: string) => ({ name: address, address, port: 5060 });
  const answers = await probe([at("::1"), at("localhost"), at("")], advertised);
  expect(answers.map(({ status }) => status)).toEqual([undefined, undefined, undefined]);
});

test("a thread that cannot be started is an error of the probe, and not a missing answer", async () => {
  const target = { name: "a", address: "127.0.0.1", port: 5060, cannotBeCopied: () => undefined };
  await expect(probe([target], advertised)).rejects.toThrow();
});
