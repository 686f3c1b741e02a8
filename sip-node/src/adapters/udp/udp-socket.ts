/** A UDP socket, as each engine provides it. No datagram and no error of the network closes it. */
import type { Flow } from "../../wire/flow.ts";

/** `dgram`: Node's own sockets. `batched`: the addon of `native/udp/`, which reads and writes many datagrams with one system call. */
export type UdpEngine = "dgram" | "batched";

export interface UdpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Several processes share the address, and the kernel distributes the flows (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** The kernel's buffers, in bytes. They hold datagrams while the event loop or the network is busy. The kernel may grant less. */
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
}

/** Counts since the socket was opened. */
export interface UdpDrops {
  /** Received datagrams that the kernel dropped because its buffer was full; undefined: not known on this system. */
  readonly received: number | undefined;
  /** Datagrams that could not be sent. */
  readonly sent: number;
}

export interface UdpSocket {
  readonly engine: UdpEngine;
  readonly port: number;
  /** The size of the kernel's receive buffer, in bytes: the requested one, or less. */
  readonly receiveBuffer: number;
  /** Starts to pass on datagrams, as Latin-1 text. Earlier ones are dropped. */
  receiveText(onDatagram: (text: string, flow: Flow) => void): void;
  /** The same for datagrams that are no text. The receiver may keep the bytes. */
  receiveBytes(onDatagram: (bytes: Buffer, flow: Flow) => void): void;
  /** In order for each destination, at the latest before the event loop waits again. A string is Latin-1 text. */
  send(message: Uint8Array | string, address: string, port: number): void;
  drops(): UdpDrops;
  /** Sends what `send` was given before, and closes. No datagram is passed on after it. */
  close(): Promise<void>;
}

/** Called with each error of sending and receiving. */
export type OnUdpError = (error: Error) => void;
