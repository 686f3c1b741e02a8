/** The sockets of a node. */
import type { Logger } from "pino";
import { clock } from "../adapters/clock.ts";
import { type TcpDependencies, TcpListener } from "../adapters/tcp/tcp-listener.ts";
import { openUdp } from "../adapters/udp/open-udp.ts";
import type { OnUdpError, UdpSocket } from "../adapters/udp/udp-socket.ts";
import type { HostPort } from "../config/addresses.ts";
import type { Config } from "../config/config.ts";
import type { StreamReading, UdpReading } from "../telemetry/metric-table.ts";
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";

export interface Sockets {
  /** The socket that phones know; undefined until the node serves. */
  phones: UdpSocket | undefined;
  /** For phones with a TCP connection; undefined: not yet, or not configured. */
  streams: TcpListener | undefined;
  /** For phones whose owner node is gone. */
  readonly direct: UdpSocket;
  readonly peers: UdpSocket;
}

/** In bytes, for each socket: what the kernel is asked for. */
const requestedBuffer = 4 * 1024 * 1024;
/** A smaller receive buffer is logged: it overflows when the event loop is busy for some ten milliseconds. */
const smallBuffer = requestedBuffer / 2;
const errorLogInterval: Ms = 1_000;

/** The sockets without `phones`. Rejects if an address cannot be bound. */
export async function openSockets({ sip, cluster }: Config, log: Logger): Promise<Sockets> {
  return {
    phones: undefined,
    streams: undefined,
    direct: await open(sip.direct, false, sip.udpEngine, log),
    peers: await open(cluster.listen, false, sip.udpEngine, log),
  };
}

export async function openPhoneSocket({ sip }: Config, log: Logger): Promise<UdpSocket> {
  const socket = await open(sip.listen, sip.reusePort, sip.udpEngine, log);
  const { receiveBuffer: granted } = socket;
  if (granted < smallBuffer)
    log.warn({ granted, requested: requestedBuffer }, "small UDP receive buffer: raise net.core.rmem_max");
  return socket;
}

/** Undefined: TCP is not configured. It has the port of the UDP socket. Rejects if the port cannot be bound. */
export async function openStreams(
  { sip: { listen, tcp, reusePort } }: Config,
  port: number,
  deps: TcpDependencies,
): Promise<TcpListener | undefined> {
  return tcp ? await TcpListener.open({ host: listen.host, port, reusePort }, deps) : undefined;
}

/** False: this node has no such connection. */
export function sendToPhone({ phones, streams }: Sockets, text: string, flow: Flow): boolean {
  if (flow.transport === "tcp") return streams?.send(text, flow) ?? false;
  phones?.send(text, flow.address, flow.port);
  return true;
}

export async function closeSockets({ phones, streams, direct, peers }: Sockets): Promise<void> {
  await Promise.all([phones?.close(), streams?.close(), direct.close(), peers.close()]);
}

/** What the metrics say about the open sockets. */
export const readSockets = (sockets: Sockets): readonly UdpReading[] =>
  (["phones", "direct", "peers"] as const).flatMap((name) => {
    const socket = sockets[name];
    if (socket === undefined) return [];
    const { received: receiveDrops, sent: sendDrops } = socket.drops();
    const { engine, receiveBuffer } = socket;
    return { socket: name, engine, receiveBuffer, receiveDrops, sendDrops };
  });

export const readStreams = ({ streams }: Sockets): readonly StreamReading[] =>
  streams === undefined ? [] : [streams];

const open = (
  address: HostPort,
  reusePort: boolean,
  engine: Config["sip"]["udpEngine"],
  log: Logger,
): Promise<UdpSocket> =>
  openUdp(
    { ...address, reusePort, receiveBuffer: requestedBuffer, sendBuffer: requestedBuffer },
    engine,
    logErrors(log),
  );

/** At most one line in each interval, because strangers can cause errors: a datagram with a forged source that has no route. */
function logErrors(log: Logger): OnUdpError {
  let loggedAt = Number.NEGATIVE_INFINITY;
  let omitted = 0;
  return ({ message }) => {
    const now = clock.now();
    if (now - loggedAt < errorLogInterval) {
      omitted += 1;
      return;
    }
    log.warn({ err: message, omitted }, "socket");
    loggedAt = now;
    omitted = 0;
  };
}
