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

/** The flow that a key names, or undefined when the text is none: rows of other tools name what is no address. */
export function parseFlowKey(key: string): Flow | undefined {
  const found = /^udp:(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(key);
  if (found === null) return undefined;
  const [, long, short = "", digits] = found;
  const port = Number(digits);
  if (port === 0 || port > 65_535 || !(long === undefined ? isIpv4(short) : isIpv6(long))) return undefined;
  return flowOf(long ?? short, port);
}

const isIpv4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split(".").every((byte) => Number(byte) < 256);

// RFC 4291 §2.2: eight words, of which "::" stands for one run of zeros; the last two may be an IPv4 address
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const words = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = words[words.length - 1];
  const isMixed = last?.includes(".") === true && !text.endsWith("::");
  if (isMixed && !isIpv4(last)) return false;
  const hex = isMixed ? words.slice(0, -1) : words;
  const count = hex.length + (isMixed ? 2 : 0);
  return (
    hex.every((word) => /^[0-9a-f]{1,4}$/i.test(word)) && (halves.length === 2 ? count < 8 : count === 8)
  );
}
