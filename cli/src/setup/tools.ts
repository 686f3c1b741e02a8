/** The programs that the local cluster and the tests use, each with its Debian package. */
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";

export interface Tool {
  readonly command: string;
  readonly debianPackage: string;
}

/** The folder of Debian's modules of Kamailio. */
export const kamailioModules = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/kamailio/modules`;

// The -core packages have the server, but no service, user or configuration of the distribution.
export const tools = {
  mariadb: [
    { command: "mariadbd", debianPackage: "mariadb-server-core" },
    { command: "mariadb-install-db", debianPackage: "mariadb-server-core" },
    { command: "my_print_defaults", debianPackage: "mariadb-client-core" },
  ],
  sipp: [{ command: "sipp", debianPackage: "sip-tester" }],
  baresip: [{ command: "baresip", debianPackage: "baresip-core" }],
  iptables: [{ command: "iptables", debianPackage: "iptables" }],
  // g++ depends on gcc and on the headers of the C library, which gcc only recommends
  cc: [{ command: "cc", debianPackage: "g++" }],
  strace: [{ command: "strace", debianPackage: "strace" }],
  procps: [{ command: "ps", debianPackage: "procps" }],
  go: [{ command: "go", debianPackage: "golang-go" }],
  etcd: [{ command: "etcd", debianPackage: "etcd-server" }],
  containerd: [
    { command: "containerd", debianPackage: "containerd" },
    { command: "runc", debianPackage: "runc" },
    { command: "/usr/lib/cni/bridge", debianPackage: "containernetworking-plugins" },
  ],
  buildah: [{ command: "buildah", debianPackage: "buildah" }],
  debootstrap: [{ command: "debootstrap", debianPackage: "debootstrap" }],
  nftables: [{ command: "nft", debianPackage: "nftables" }],
  conntrack: [{ command: "conntrack", debianPackage: "conntrack" }],
  iproute2: [{ command: "ip", debianPackage: "iproute2" }],
  kamailio: [
    { command: "kamailio", debianPackage: "kamailio" },
    { command: join(kamailioModules, "db_mysql.so"), debianPackage: "kamailio-mysql-modules" },
  ],
  prometheus: [{ command: "prometheus", debianPackage: "prometheus" }],
} as const satisfies Record<string, readonly Tool[]>;

export type ToolName = keyof typeof tools;

/** Tools that only `npm run bench` needs. */
const benchTools: ReadonlySet<string> = new Set<ToolName>(["kamailio"]);

/** The tools that the local cluster and the tests need. */
export const testTools = (Object.keys(tools) as ToolName[]).filter((name) => !benchTools.has(name));

/** The path of a program, also in folders that may not be in PATH; undefined if there is none. An absolute path is only checked. */
export function findCommand(command: string): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/usr/local/go/bin",
  ];
  return folders.map((folder) => resolve(folder, command)).find(isExecutable);
}

/** The missing programs of these tools; may be empty. */
export function missingTools(names: readonly ToolName[]): Tool[] {
  return names
    .flatMap((name): readonly Tool[] => tools[name])
    .filter((tool) => findCommand(tool.command) === undefined);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, path.endsWith(".so") ? constants.R_OK : constants.X_OK); // Debian's libraries are not executable
    return true;
  } catch {
    return false;
  }
}
