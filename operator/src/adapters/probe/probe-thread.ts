/**
 * The thread of a probe. It sends one OPTIONS (RFC 3261 §11.1) to each target, from a stack and a port of its own, and reports each final
 * response to the parent thread. Responses that the package generates itself (404, 408, 503) do not count: only those from the socket do.
 */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { createRequire } from "node:module";
import { isIPv4 } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { ProbeTarget } from "./probe.ts";

interface Message {
  readonly method?: string;
  readonly status?: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Flow {
  readonly protocol: "UDP";
  readonly address: string;
  readonly port: number;
  readonly local: { readonly address: string; readonly port: number };
}

interface Stack {
  send(message: unknown, answered?: (response: Message) => void): void;
  encodeFlowUri(flow: Flow): unknown;
  destroy(): void;
}

interface SipPackage {
  create(options: unknown, received: (request: Message) => void): Stack;
}

const sip = createRequire(import.meta.url)("sip") as SipPackage;

const { targets, uri, timeout } = workerData as {
  readonly targets: readonly ProbeTarget[];
  readonly uri: { readonly host: string; readonly port: number };
  readonly timeout: number;
};

async function main(): Promise<void> {
  setTimeout(() => process.exit(0), timeout);
  // A socket error of one target must not end the probe of the others.
  process.on("uncaughtException", () => undefined);
  await Promise.all(
    targets
      .filter(({ address }) => isIPv4(address))
      .map(async (target) => {
        const status = await ask(target).catch(() => undefined);
        if (status !== undefined) parentPort?.postMessage({ name: target.name, status });
      }),
  );
  process.exit(0);
}

async function ask({ address, port }: ProbeTarget): Promise<number> {
  const local = await findLocalAddress(address, port);
  const callId = randomBytes(12).toString("hex");
  return new Promise((resolve) => {
    const received = ({ status = 0, headers }: Message): void => {
      if (headers["call-id"] === callId && status >= 200) resolve(status);
    };
    const options = {
      ...local,
      tcp: false,
      logger: { recv: received, send: () => undefined, error: () => undefined },
    };
    // Incoming requests are ignored: a probe is not a SIP server.
    const stack = sip.create(options, () => undefined);
    // The package sends a request with its own flow token in Route to that address, and removes the Route first.
    const route = [{ uri: stack.encodeFlowUri({ protocol: "UDP", address, port, local }) }];
    stack.send(optionsRequest(local, callId, route));
  });
}

function optionsRequest(local: Flow["local"], callId: string, route: readonly unknown[]): unknown {
  const { host, port } = uri;
  const target = {
    schema: "sip",
    host: host.includes(":") ? `[${host}]` : host,
    port,
    params: {},
    headers: {},
  };
  const self = {
    schema: "sip",
    user: "probe",
    host: local.address,
    port: local.port,
    params: {},
    headers: {},
  };
  return {
    method: "OPTIONS",
    uri: target,
    version: "2.0",
    headers: {
      to: { uri: target, params: {} },
      from: { uri: self, params: { tag: randomBytes(6).toString("hex") } },
      "call-id": callId,
      cseq: { seq: 1, method: "OPTIONS" },
      contact: [{ uri: self, params: {} }],
      "max-forwards": 70,
      via: [],
      route,
    },
  };
}

/** The local address for packets to the target, and a free port. */
async function findLocalAddress(address: string, port: number): Promise<Flow["local"]> {
  const socket = createSocket("udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(port, address, resolve);
    });
    const { address: local, port: free } = socket.address();
    return { address: local, port: free };
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

await main();
