/**
 * The engine `batched`: the addon reads many datagrams with one system call and passes them on with one call into JavaScript, and writes with
 * one system call what a turn of the event loop sends (docs/adr/0046).
 */
import { getSystemErrorName } from "node:util";
import { type Flow, flowOf } from "../../wire/flow.ts";
import type { NativeSocket, UdpAddon } from "./udp-addon.ts";
import type { OnUdpError, UdpOptions, UdpSocket } from "./udp-socket.ts";

/** The words of the table for each datagram: length, source, port. */
const wordsPerDatagram = 3;
/** Set in the word of the source when its place has another address than before. */
const newSource = 0x8000_0000;

/** Throws if the address cannot be bound. */
export function openBatchedSocket(options: UdpOptions, onError: OnUdpError, addon: UdpAddon): UdpSocket {
  const receiver = new BatchReceiver(addon);
  const failed = (code: string, address: string, port: number) =>
    onError(new UdpError(code, address === "" ? "" : ` ${address}:${port}`));
  const table = new Uint8Array(receiver.table.buffer);
  const onBatch = (count: number) => receiver.receiveBatch(count);
  const { host, reusePort, receiveBuffer, sendBuffer } = options;
  const open = addon.open.bind(addon, host, options.port, reusePort, receiveBuffer, sendBuffer);
  const native = open(receiver.area, table, onBatch, failed);
  receiver.native = native;
  const [port, granted] = addon.figures(native);
  let notQueued = 0;
  return {
    engine: "batched",
    port,
    receiveBuffer: granted,
    receiveText: (onDatagram) =>
      (receiver.onDatagram = (area, start, end, flow) =>
        onDatagram(area.toString("latin1", start, end), flow)),
    receiveBytes: (onDatagram) =>
      (receiver.onDatagram = (area, start, end, flow) =>
        onDatagram(Buffer.from(area.subarray(start, end)), flow)),
    send(message, address, to) {
      const error = addon.send(native, message, address, to);
      if (error === 0) return;
      notQueued += 1;
      failed(getSystemErrorName(-error), address, to);
    },
    drops() {
      const [, , received, sent] = addon.figures(native);
      return { received, sent: sent + notQueued };
    },
    async close() {
      receiver.onDatagram = undefined;
      addon.close(native);
      await new Promise((resolve) => setImmediate(resolve)); // the addon frees its memory at the end of the turn
    },
  };
}

class BatchReceiver {
  /** The bytes of a batch: one place for each datagram. */
  readonly area: Buffer;
  readonly table: Uint32Array<ArrayBuffer>;
  /** It copies what it needs: the next batch overwrites the area. */
  onDatagram: ((area: Buffer, start: number, end: number, flow: Flow) => void) | undefined;
  native: NativeSocket | undefined;
  private readonly addon: UdpAddon;
  /** The flow of each place in the addon's table of sources: its texts are written once, not for each datagram. */
  private readonly flows: (Flow | undefined)[];

  constructor(addon: UdpAddon) {
    this.addon = addon;
    this.area = Buffer.allocUnsafeSlow(addon.batchSize * addon.placeSize);
    this.table = new Uint32Array(addon.batchSize * wordsPerDatagram);
    this.flows = new Array<undefined>(addon.sourceCount);
  }

  receiveBatch(count: number): void {
    for (let i = 0; i < count; i++) {
      const flow = this.flowOf(i);
      const length = this.table[i * wordsPerDatagram] ?? 0;
      const start = i * this.addon.placeSize;
      try {
        this.onDatagram?.(this.area, start, start + length, flow);
      } catch (error) {
        process.nextTick(rethrow, error); // the other datagrams of the batch are passed on
      }
    }
  }

  private flowOf(i: number): Flow {
    const source = this.table[i * wordsPerDatagram + 1] ?? 0;
    const place = source % newSource;
    const known = source < newSource ? this.flows[place] : undefined;
    if (known !== undefined) return known;
    const port = this.table[i * wordsPerDatagram + 2] ?? 0;
    const flow = flowOf(this.native === undefined ? "" : this.addon.sourceAddress(this.native, i), port);
    this.flows[place] = flow;
    return flow;
  }
}

function rethrow(error: unknown): void {
  throw error;
}

class UdpError extends Error {
  readonly code: string;

  constructor(code: string, where: string) {
    super(`${code}${where}`);
    this.name = "UdpError";
    this.code = code;
  }
}
