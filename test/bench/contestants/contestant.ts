/** A SIP server that is measured. */
import { createSocket } from "node:dgram";
import type { Endpoint } from "../../support/phone.ts";
import { domain } from "../users.ts";

export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** The address that phones send to. */
  readonly at: Endpoint;
  /** Its main processes. Their descendants are counted with them. */
  readonly pids: readonly number[];
}

const patience = 60_000;

/** Sends OPTIONS until there is an answer. Resolves with the milliseconds since `since` (of `performance.now()`). */
export async function untilAnswers(
  at: Endpoint,
  since: number,
  hasEnded: () => string | undefined,
): Promise<number> {
  const socket = createSocket("udp4");
  let answered = 0;
  socket.on("message", () => (answered ||= performance.now()));
  socket.on("error", () => undefined); // the port is closed until the server listens
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  try {
    for (let count = 0; answered === 0; count++) {
      const problem = hasEnded();
      if (problem !== undefined) throw new Error(problem);
      if (performance.now() - since > patience)
        throw new Error(`no answer from port ${at.port} in ${patience} ms`);
      socket.send(options(port, count), at.port, at.address);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    socket.close();
  }
  return answered - since;
}

const options = (port: number, count: number): string =>
  [
    `OPTIONS sip:${domain} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKready${port}x${count};rport`,
    `From: <sip:probe@${domain}>;tag=1`,
    `To: <sip:${domain}>`,
    `Call-ID: ready-${port}-${count}`,
    "CSeq: 1 OPTIONS",
    "Max-Forwards: 70",
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
