/** The addon of `native/udp/`, if it was compiled for this system. */
import { createRequire } from "node:module";

/** A socket of the addon. */
export interface NativeSocket {
  readonly native: unique symbol;
}

/** `native/udp/udp.c` describes the area and the table. */
export interface UdpAddon {
  /** Datagrams in one batch. */
  readonly batchSize: number;
  /** Bytes of the area for each datagram of a batch. */
  readonly placeSize: number;
  /** Places in the table of sources. */
  readonly sourceCount: number;
  /** Throws an error with `code`. */
  open(
    host: string,
    port: number,
    reusePort: boolean,
    receiveBuffer: number,
    sendBuffer: number,
    area: Uint8Array,
    table: Uint8Array,
    onBatch: (count: number) => void,
    onError: (code: string, address: string, port: number) => void,
  ): NativeSocket;
  /** 0, or the errno of a datagram that cannot be queued. */
  send(socket: NativeSocket, message: Uint8Array | string, address: string, port: number): number;
  /** Of the i-th datagram of the last batch. */
  sourceAddress(socket: NativeSocket, i: number): string;
  /** Port, receive buffer, drops of the receive buffer, drops of sending. */
  figures(socket: NativeSocket): readonly [number, number, number, number];
  close(socket: NativeSocket): void;
}

const file = "../../../../native/udp/build/udp.node";

/** Undefined: there is none. It was not compiled, or it is for another system. */
export function loadUdpAddon(): UdpAddon | undefined {
  try {
    return createRequire(import.meta.url)(file) as UdpAddon;
  } catch {
    return undefined;
  }
}
