/** A flow is how one phone is reached: transport and remote address. Nodes, rows and tokens name flows by their key. */

export interface Flow {
  readonly transport: "udp";
  /** IPv4 or IPv6 address without brackets. */
  readonly address: string;
  readonly port: number;
  /** `udp:192.0.2.1:5060`, `udp:[2001:db8::1]:5060`: equal keys are equal flows. */
  readonly key: string;
}

export const flowOf = (address: string, port: number): Flow => ({
  transport: "udp",
  address,
  port,
  key: `udp:${hostPort(address, port)}`,
});

/** `host:port` with the brackets that IPv6 needs. */
export const hostPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** The flow that a key names, or undefined when the text is none. */
export function parseFlowKey(key: string): Flow | undefined {
  const found = /^udp:(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(key);
  if (found === null) return undefined;
  const port = Number(found[3]);
  return port > 0 && port < 65_536 ? flowOf(found[1] ?? found[2] ?? "", port) : undefined;
}
