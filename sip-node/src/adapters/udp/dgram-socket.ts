/** The engine `dgram`: Node's own sockets. One system call for each datagram sent. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { flowOf } from "../../wire/flow.ts";
import { readReceiveDrops } from "./receive-drops.ts";
import type { OnUdpError, UdpOptions, UdpSocket } from "./udp-socket.ts";

/** Rejects if the address cannot be bound. */
export function openDgramSocket(options: UdpOptions, onError: OnUdpError): Promise<UdpSocket> {
  const { host, port, reusePort, receiveBuffer, sendBuffer } = options;
  const socket = createSocket({
    type: isIPv6(host) ? "udp6" : "udp4",
    reusePort,
    recvBufferSize: receiveBuffer,
    sendBufferSize: sendBuffer,
    // Destinations are IP addresses from packets and rows. No name is looked up.
    lookup: (name, _options, done) => done(null, name, isIPv6(name) ? 6 : 4),
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: host, port }, () => {
      socket.off("error", reject);
      resolve(wrap(socket, onError));
    });
  });
}

function wrap(socket: Socket, onError: OnUdpError): UdpSocket {
  const { port } = socket.address();
  let notSent = 0;
  const failed = (error: Error | null) => {
    if (error === null) return;
    notSent += 1;
    onError(error);
  };
  socket.on("error", onError);
  return {
    engine: "dgram",
    port,
    // The kernel doubles a requested size, for its own use (socket(7))
    receiveBuffer: socket.getRecvBufferSize() / 2,
    receiveText(onDatagram) {
      socket.on("message", (bytes, from) =>
        onDatagram(bytes.toString("latin1"), flowOf(from.address, from.port)),
      );
    },
    receiveBytes(onDatagram) {
      socket.on("message", (bytes, from) => onDatagram(bytes, flowOf(from.address, from.port)));
    },
    send(message, address, to) {
      const bytes = typeof message === "string" ? Buffer.from(message, "latin1") : message;
      try {
        socket.send(bytes, to, address, failed);
      } catch (error) {
        failed(error as Error); // an address of another family, a port out of range
      }
    },
    drops: () => ({ received: readReceiveDrops(port), sent: notSent }),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
