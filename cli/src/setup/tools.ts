/** The programs that Strowger's local cluster and tests use, and the Debian package that brings each. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface Tool {
  readonly command: string;
  readonly debianPackage: string;
}

// The -core packages hold the server without a service, a user or a configuration of the distribution.
export const tools = {
  mariadb: [
    { command: "mariadbd", debianPackage: "mariadb-server-core" },
    { command: "mariadb-install-db", debianPackage: "mariadb-server-core" },
    { command: "my_print_defaults", debianPackage: "mariadb-client-core" },
  ],
  sipp: [{ command: "sipp", debianPackage: "sip-tester" }],
  baresip: [{ command: "baresip", debianPackage: "baresip-core" }],
  iptables: [{ command: "iptables", debianPackage: "iptables" }],
  procps: [{ command: "ps", debianPackage: "procps" }],
} as const satisfies Record<string, readonly Tool[]>;

export type ToolName = keyof typeof tools;

/** The path of a program, also from the sbin folders that a user's PATH leaves out; undefined where it is not installed. */
export function findCommand(command: string): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
  ];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

/** The tools of `names` that are absent; may be empty. */
export function missingTools(names: readonly ToolName[]): Tool[] {
  return names
    .flatMap((name): readonly Tool[] => tools[name])
    .filter((tool) => findCommand(tool.command) === undefined);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
