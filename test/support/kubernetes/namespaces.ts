/**
 * Network namespaces of one test run, connected by a bridge in a separate namespace. The machine's own network is not changed, and two
 * runs do not affect each other.
 */
import { inNamespace } from "../child.ts";
import { runCommand } from "./run-command.ts";

export interface Host {
  readonly name: string;
  readonly address: string;
}

/** The name of a run, used for its namespaces and folders. `pid` is the process that made them. */
export const runName = (pid: number): string => `sw${pid}`;

export const namespaceOf = (run: string, host: string): string => `${run}-${host}`;

/** The command prefix that runs a program on a host. */
export const onHost = (run: string, host: string): readonly string[] => inNamespace(namespaceOf(run, host));

/** Creates a namespace for each host; all are in the subnet 10.213.0.0/24. */
export async function buildNetwork(run: string, hosts: readonly Host[]): Promise<void> {
  const [bridge, inBridge] = [namespaceOf(run, "br"), command(run, "br")];
  await runCommand("ip", ["netns", "add", bridge]);
  await inBridge("ip", "link", "add", "br0", "type", "bridge");
  await inBridge("ip", "link", "set", "br0", "up");
  for (const { name, address } of hosts) {
    const here = command(run, name);
    await runCommand("ip", ["netns", "add", namespaceOf(run, name)]);
    const peer = ["peer", "name", "eth0", "netns", namespaceOf(run, name)];
    await inBridge("ip", "link", "add", `to-${name}`, "type", "veth", ...peer);
    await inBridge("ip", "link", "set", `to-${name}`, "master", "br0", "up");
    await here("ip", "link", "set", "lo", "up");
    await here("ip", "addr", "add", `${address}/24`, "dev", "eth0");
    await here("ip", "link", "set", "eth0", "up");
    await here("sysctl", "-qw", "net.ipv4.ip_forward=1");
  }
}

/** Returns a function that runs a command on the host. */
export const command =
  (run: string, host: string) =>
  (...args: readonly string[]): Promise<string> => {
    const [first = "", ...rest] = [...onHost(run, host), ...args];
    return runCommand(first, rest);
  };
