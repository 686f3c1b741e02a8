/** The UDP sockets of a node. */
import type { Logger } from "pino";
import { openUdp, type UdpSocket } from "../adapters/udp.ts";
import type { HostPort } from "../config/addresses.ts";
import type { Config } from "../config/config.ts";

export interface Sockets {
  /** The socket that phones know; undefined until the node serves. */
  phones: UdpSocket | undefined;
  /** For phones whose owner node is gone. */
  readonly direct: UdpSocket;
  readonly peers: UdpSocket;
}

/** In bytes, for each socket. */
const receiveBuffer = 4 * 1024 * 1024;

/** The sockets without `phones`. Rejects if an address cannot be bound. */
export async function openSockets({ sip, cluster }: Config, log: Logger): Promise<Sockets> {
  return {
    phones: undefined,
    direct: await open(sip.direct, false, log),
    peers: await open(cluster.listen, false, log),
  };
}

export const openPhoneSocket = ({ sip }: Config, log: Logger): Promise<UdpSocket> =>
  open(sip.listen, sip.reusePort, log);

export async function closeSockets({ phones, direct, peers }: Sockets): Promise<void> {
  await Promise.all([phones?.close(), direct.close(), peers.close()]);
}

const open = (address: HostPort, reusePort: boolean, log: Logger): Promise<UdpSocket> =>
  openUdp({ ...address, reusePort, receiveBuffer }, (error) => log.warn({ err: error.message }, "socket"));
