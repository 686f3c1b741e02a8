/** A UDP socket. It receives datagrams with their flows, and sends bytes. No datagram and no error of the network closes it. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { type Flow, flowOf } from "../wire/flow.ts";

export interface UdpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Several processes share the address, and the kernel distributes the flows (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** The kernel's receive buffer, in bytes. It holds datagrams while the event loop is busy. */
  readonly receiveBuffer: number;
}

export interface UdpSocket {
  readonly port: number;
  /** Starts to pass on datagrams. Earlier ones are dropped. */
  receive(onDatagram: (bytes: Buffer, flow: Flow) => void): void;
  send(bytes: Uint8Array, address: string, port: number): void;
  close(): Promise<void>;
}

/** Rejects if the address cannot be bound. `onError` is called with each error of sending and receiving. */
export function openUdp(options: UdpOptions, onError: (error: Error) => void): Promise<UdpSocket> {
  const { host, port, reusePort, receiveBuffer } = options;
  const socket = createSocket({
    type: isIPv6(host) ? "udp6" : "udp4",
    reusePort,
    recvBufferSize: receiveBuffer,
    // Destinations are IP addresses from packets and rows. No name is looked up.
    lookup: (name, _options, done) => done(null, name, isIPv6(name) ? 6 : 4),
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: host, port }, () => {
      socket.off("error", reject);
      socket.on("error", onError);
      resolve(wrap(socket, onError));
    });
  });
}

function wrap(socket: Socket, onError: (error: Error) => void): UdpSocket {
  return {
    port: socket.address().port,
    receive(onDatagram) {
      socket.on("message", (bytes, from) => onDatagram(bytes, flowOf(from.address, from.port)));
    },
    send(bytes, address, port) {
      try {
        socket.send(bytes, port, address);
      } catch (error) {
        onError(error as Error); // an address of another family, a port out of range
      }
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
