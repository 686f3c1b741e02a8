/** Waits until a server that starts answers OPTIONS, or until it forwards OPTIONS to a binding that it had before the start. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Endpoint } from "../../support/phone.ts";
import { domain, trustedAddress } from "../users.ts";

export interface Question {
  readonly server: Endpoint;
  /** The port of a phone of user `probe`, whose binding the server must find. Undefined: an answer of the server itself is enough. */
  readonly probePort?: number | undefined;
  /** When the server was started, by `performance.now()`. */
  readonly since: number;
  /** Why the server cannot answer any more. */
  readonly hasEnded: () => string | undefined;
}

export const probeUser = "probe";
export const probeContact = (port: number): string => `sip:${probeUser}@${trustedAddress}:${port}`;

const patience = 120_000;
const interval = 10;

/** Resolves with the milliseconds since the start. */
export async function untilAnswers({ server, probePort, since, hasEnded }: Question): Promise<number> {
  const socket = createSocket("udp4");
  const expected = probePort === undefined ? "SIP/2.0 200" : "OPTIONS ";
  let answered = 0;
  socket.on("message", (data) => {
    if (answered === 0 && data.toString("latin1").startsWith(expected)) answered = performance.now();
  });
  socket.on("error", () => undefined); // the port is closed until the server listens
  socket.bind(probePort ?? 0, trustedAddress);
  await once(socket, "listening");
  const user = probePort === undefined ? "" : `${probeUser}@`;
  try {
    for (let count = 0; answered === 0; count++) {
      const problem = hasEnded();
      if (problem !== undefined) throw new Error(problem);
      if (performance.now() - since > patience) throw new Error(`no answer from port ${server.port}`);
      const request = optionsRequest(`sip:${user}${domain}`, socket.address().port, count);
      socket.send(request, server.port, server.address);
      await new Promise((resolve) => setTimeout(resolve, interval));
    }
  } finally {
    socket.close();
  }
  return answered - since;
}

const optionsRequest = (uri: string, port: number, count: number): string =>
  [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${trustedAddress}:${port};branch=z9hG4bKready${port}x${count};rport`,
    `From: <sip:peer@${domain}>;tag=1`,
    `To: <${uri}>`,
    `Call-ID: ready-${port}-${count}`,
    "CSeq: 1 OPTIONS",
    "Max-Forwards: 70",
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
