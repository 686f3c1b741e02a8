/**
 * Network namespaces of one run of the tests, joined by a bridge in a namespace of its own: nothing is added to the machine's own
 * network, and two runs do not meet.
 */
import { inNamespace } from "../child.ts";
import { runCommand } from "./run-command.ts";

export interface Host {
  readonly name: string;
  readonly address: string;
}

/** Whose namespaces and folders these are, by the id of the process that made them. */
export const runName = (pid: number): string => `sw${pid}`;

export const namespaceOf = (run: string, host: string): string => `${run}-${host}`;

/** What runs a program on a host. */
export const onHost = (run: string, host: string): readonly string[] => inNamespace(namespaceOf(run, host));

/** Makes a namespace for each host, all of them neighbours in 10.213.0.0/24. */
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

/** A function that runs a command on that host. */
export const command =
  (run: string, host: string) =>
  (...words: readonly string[]): Promise<string> => {
    const [first = "", ...rest] = [...onHost(run, host), ...words];
    return runCommand(first, rest);
  };
