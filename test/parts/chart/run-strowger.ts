/** Runs the command `strowger` as a pod of the chart does: with the token of a ServiceAccount and the API server's certificate. */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { startChild, type TestChild } from "../../support/child.ts";

const main = resolve(import.meta.dirname, "../../../cli/src/main.ts");

interface Kubeconfig {
  readonly users: readonly [{ readonly user: { readonly token: string } }];
  readonly clusters: readonly [
    { readonly cluster: Readonly<Record<"server" | "certificate-authority", string>> },
  ];
}

export async function startStrowger(kubeconfig: string, args: readonly string[]): Promise<TestChild> {
  const { users, clusters } = JSON.parse(await readFile(kubeconfig, "utf8")) as Kubeconfig;
  const { server, "certificate-authority": authority } = clusters[0].cluster;
  const tokenFile = join(dirname(kubeconfig), "strowger.token");
  await writeFile(tokenFile, `${users[0].user.token}\n`, { mode: 0o600 });
  const where = ["--server", server, "--token-file", tokenFile];
  return startChild(process.execPath, [main, ...args, ...where], { env: { NODE_EXTRA_CA_CERTS: authority } });
}

/** Runs it and waits for its end. */
export async function strowger(
  kubeconfig: string,
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly output: string }> {
  await using child = await startStrowger(kubeconfig, args);
  return { status: await child.exited, output: child.output() };
}
