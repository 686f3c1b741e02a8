/** The datagrams that the kernel dropped because the receive buffer of a socket was full, from /proc (Linux, proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Of this process's UDP sockets on the port; undefined: there is no /proc. */
export function readReceiveDrops(port: number): number | undefined {
  try {
    const inodes = socketInodes();
    const tables = ["/proc/self/net/udp", "/proc/self/net/udp6"].map((file) => readTable(file));
    const sockets = tables.flatMap(parseUdpTable);
    const own = sockets.filter((socket) => socket.port === port && inodes.has(socket.inode));
    return own.reduce((sum, { drops }) => sum + drops, 0);
  } catch {
    return undefined;
  }
}

interface UdpRow {
  readonly port: number;
  readonly inode: string;
  readonly drops: number;
}

/** The rows of /proc/net/udp. Pure. */
export const parseUdpTable = (table: string): readonly UdpRow[] =>
  table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 12)
    .map((fields) => ({
      port: Number.parseInt(fields[1]?.split(":")[1] ?? "", 16),
      inode: fields[9] ?? "",
      drops: Number(fields[12]),
    }));

/** A kernel without IPv6 has no table of it. */
function readTable(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

function socketInodes(): ReadonlySet<string> {
  const links = readdirSync("/proc/self/fd").map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return ""; // closed since, as the one that read the folder
    }
  });
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}
