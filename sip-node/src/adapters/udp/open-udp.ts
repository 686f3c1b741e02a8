/** Opens UDP sockets with the best engine that this system has. */
import { openBatchedSocket } from "./batched-socket.ts";
import { openDgramSocket } from "./dgram-socket.ts";
import { loadUdpAddon } from "./udp-addon.ts";
import type { OnUdpError, UdpEngine, UdpOptions, UdpSocket } from "./udp-socket.ts";

/** Rejects if the address cannot be bound, or if `engine` is `batched` and the addon was not compiled. */
export async function openUdp(
  options: UdpOptions,
  engine: UdpEngine | "auto",
  onError: OnUdpError,
): Promise<UdpSocket> {
  const addon = engine === "dgram" ? undefined : loadUdpAddon();
  if (addon !== undefined) return openBatchedSocket(options, onError, addon);
  if (engine === "batched") throw new Error("sip.udpEngine is batched, but native/udp is not compiled here");
  return openDgramSocket(options, onError);
}
