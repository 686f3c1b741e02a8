/** A kubeconfig with one cluster and one user. Returns its path. */
import { writeFile } from "node:fs/promises";

interface Access {
  readonly server: string;
  readonly token: string;
  /** The path of the server's certificate, or of the CA certificate that signed it. */
  readonly authority: string;
}

export async function writeKubeconfig(path: string, access: Access): Promise<string> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "test", cluster: { server: access.server, "certificate-authority": access.authority } },
    ],
    users: [{ name: "user", user: { token: access.token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "user" } }],
    "current-context": "test",
  };
  await writeFile(path, JSON.stringify(config, undefined, 2), { mode: 0o600 }); // JSON is YAML
  return path;
}
