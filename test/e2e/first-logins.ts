/** Measures the time from `kubectl apply` of a SipUser to the first successful REGISTER of its phone. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inNamespace } from "../support/child.ts";
import { domain, type InstalledExchange, namespace } from "./installed-exchange.ts";

/** Milliseconds for each of `count` new users, ascending. The time includes the start of kubectl. */
export async function firstLogins(exchange: InstalledExchange, count: number): Promise<number[]> {
  const { address, port } = await exchange.address();
  const host = await exchange.phonesHost();
  const nsenter = host.namespace === undefined ? [] : inNamespace(host.namespace);
  const program = join(import.meta.dirname, "first-login-program.ts");
  const args = [process.execPath, program, address, String(port), host.address, domain];
  const [command = "", ...rest] = [...nsenter, ...args];
  const child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const times: number[] = [];
  try {
    for (let number = 1; number <= count; number++) {
      const username = `user-${number}`;
      const begin = Date.now();
      await exchange.cluster.client.apply(newUser(username));
      child.stdin.write(`${username} password-of-${username}\n`);
      const { value } = (await answers.next()) as { readonly value?: string };
      if (value === undefined) throw new Error(`${username} could not register`);
      times.push(Number(value.split(" ")[1]) - begin);
    }
  } finally {
    child.kill();
  }
  return times.sort((a, b) => a - b);
}

/** The percentile of ascending values; `share` is from 0 to 1. */
export const percentile = (values: readonly number[], share: number): number =>
  values[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? Number.NaN;

function newUser(username: string): string {
  const metadata = { name: username, namespace };
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata,
    stringData: { password: `password-of-${username}` },
  };
  const user = {
    apiVersion: "sip.strowger.dev/v1alpha1",
    kind: "SipUser",
    metadata,
    spec: { domainRef: { name: "strowger-example" }, username, passwordSecretRef: { name: username } },
  };
  return `${JSON.stringify(secret)}\n---\n${JSON.stringify(user)}\n`;
}
