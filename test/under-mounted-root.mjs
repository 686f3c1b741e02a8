// In a chroot `/` is no mount point, and what makes containers (buildah, runc) cannot make its mounts private there. Such a command runs under
// a root that is one: the same tree, mounted once more, in a mount namespace that ends with the command.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script =
  'mount --rbind / "$0" && mount --make-rprivate "$0" && exec chroot "$0" sh -c \'cd "$0" && exec "$@"\' "$PWD" "$@"';

/** The command as it must be run on this machine. */
export function underMountedRoot(command) {
  if (process.platform !== "linux" || process.getuid() !== 0 || isRootMounted()) return command;
  const root = mkdtempSync(join(tmpdir(), "strowger-root-"));
  return ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, root, ...command];
}

/** By /proc/self/mountinfo (proc(5)): the fifth word of a line is the mount point. */
const isRootMounted = () =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === "/");
