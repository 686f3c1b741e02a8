/** A UDP socket: datagrams in with the flow they came on, bytes out. Nothing that a peer sends or refuses ends it. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { type Flow, flowOf } from "../wire/flow.ts";

export interface UdpSettings {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Several processes share the address and the kernel balances (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** Bytes of the kernel's receive buffer: what waits while the event loop is busy. */
  readonly receiveBuffer: number;
}

export interface UdpSocket {
  readonly port: number;
  /** From now on datagrams are read; what came before is dropped. */
  receive(onDatagram: (bytes: Buffer, flow: Flow) => void): void;
  send(bytes: Uint8Array, address: string, port: number): void;
  close(): Promise<void>;
}

/** Rejects when the address cannot be bound. `onError` hears of what could not be sent or received. */
export function openUdp(settings: UdpSettings, onError: (error: Error) => void): Promise<UdpSocket> {
  const { host, port, reusePort, receiveBuffer } = settings;
  const socket = createSocket({
    type: isIPv6(host) ? "udp6" : "udp4",
    reusePort,
    recvBufferSize: receiveBuffer,
    // Addresses come from packets and rows and are addresses already: nothing is looked up on the way out.
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
