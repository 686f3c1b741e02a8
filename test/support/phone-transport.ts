/** How a scripted phone sends and receives: a UDP socket, or one TCP connection to the exchange. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import type { Endpoint } from "./phone.ts";

export interface PhoneTransport {
  readonly name: "UDP" | "TCP";
  readonly local: Endpoint;
  /** The exchange closed the connection. */
  readonly isClosed: boolean;
  send(text: string, to: Endpoint): void;
  close(): void;
}

export type Receive = (text: string, from: Endpoint) => void;

export async function openUdp(at: Endpoint, receive: Receive): Promise<PhoneTransport> {
  const socket = createSocket("udp4", (data, { address, port }) =>
    receive(data.toString(), { address, port }),
  );
  socket.bind(at.port, at.address);
  await once(socket, "listening");
  return {
    name: "UDP",
    local: socket.address(),
    isClosed: false,
    send: (text, to) => socket.send(text, to.port, to.address),
    close: () => socket.close(),
  };
}

/** It sends to the exchange only. */
export async function openTcp(at: Endpoint, exchange: Endpoint, receive: Receive): Promise<PhoneTransport> {
  const socket = connect({
    ...{ host: exchange.address, port: exchange.port },
    ...{ localAddress: at.address, localPort: at.port },
  });
  socket.on("error", () => {}); // the test sees that nothing arrives
  let waiting = "";
  socket.on("data", (data) => {
    waiting += data.toString("latin1");
    for (let end = endOfMessage(waiting); end !== undefined; end = endOfMessage(waiting)) {
      receive(waiting.slice(0, end), exchange);
      waiting = waiting.slice(end);
    }
  });
  await once(socket, "connect");
  const { localAddress = "", localPort = 0 } = socket;
  return {
    name: "TCP",
    local: { address: localAddress, port: localPort },
    get isClosed() {
      return socket.closed;
    },
    send: (text) => void socket.write(text, "latin1"),
    close: () => void socket.destroy(),
  };
}

/** Where the first message ends; undefined: not all of it has arrived. A pong is a message of two bytes (RFC 5626 §4.4.1). */
function endOfMessage(text: string): number | undefined {
  if (text.startsWith("\r\n")) return 2;
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const length = /\r\nContent-Length: (\d+)/i.exec(text.slice(0, head + 2))?.[1];
  if (length === undefined) throw new Error(`a message without Content-Length on a stream:\n${text}`);
  const end = head + 4 + Number(length);
  return end <= text.length ? end : undefined;
}
