/** Finds free ports, and the program that uses a port. */
import { createSocket } from "node:dgram";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";
import { basename } from "node:path";

/** The first free TCP port from `preferred` on (20 are tried; 0: no preference), or any free one. */
export async function freeTcpPort(address: string, preferred: number): Promise<number> {
  for (let port = preferred; preferred > 0 && port < preferred + 20; port++)
    if ((await tcpBindFailure(address, port)) === undefined) return port;
  return await anyTcpPort(address);
}

/** Undefined if a UDP socket can be bound; otherwise the system's error code: EADDRINUSE, EADDRNOTAVAIL, EACCES. */
export function udpBindFailure(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4" });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

/** As `udpBindFailure`, of a TCP socket that listens. */
export function tcpBindFailure(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** A port that is free now for UDP and TCP. */
export async function freeSipPort(address: string): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await freeUdpPort(address);
    if ((await tcpBindFailure(address, port)) === undefined) return port;
  }
  throw new Error(`no port of ${address} is free for UDP and TCP`);
}

/** A UDP port that is free now. */
export function freeUdpPort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", reject);
    socket.bind({ address, port: 0, exclusive: true }, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** The program that has this UDP port open, as `kamailio (pid 42)`; undefined if /proc does not show it. */
export async function udpPortHolder(port: number): Promise<string | undefined> {
  const inodes = new Set<string>();
  for (const table of ["/proc/net/udp", "/proc/net/udp6"]) {
    const text = await readFile(table, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (Number.parseInt(fields[1]?.split(":").at(-1) ?? "", 16) === port && fields[9])
        inodes.add(`socket:[${fields[9]}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const file of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => "");
      if (inodes.has(target)) return `${await programName(pid)} (pid ${pid})`;
    }
  }
  return undefined;
}

/** The name of the executable file. `comm` is often the name of a thread, so it is only the fallback. */
async function programName(pid: string): Promise<string> {
  const file = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return file === undefined ? (await readFile(`/proc/${pid}/comm`, "utf8")).trim() : basename(file);
}

function anyTcpPort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: address, port: 0 }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound ? bound.port : 0));
    });
  });
}
