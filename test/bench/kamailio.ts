/** Debian's Kamailio with a minimal configuration: a registrar in memory and a transaction-stateful, record-routing proxy. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "../support/child.ts";
import type { Endpoint } from "../support/phone.ts";

export interface Kamailio extends AsyncDisposable {
  /** The main process; the workers are its children. */
  readonly pid: number;
}

export async function startKamailio(at: Endpoint): Promise<Kamailio> {
  const folder = await mkdtemp(join(tmpdir(), "strowger-kamailio-"));
  const file = join(folder, "kamailio.cfg");
  await writeFile(file, configuration(at));
  const child = startChild("kamailio", ["-DD", "-E", "-f", file, "-Y", folder, "-m", "256", "-M", "16"], {});
  await new Promise((resolve) => setTimeout(resolve, 1500));
  if (child.process.exitCode !== null) throw new Error(`kamailio ended:\n${child.output().slice(-2000)}`);
  const { pid } = child.process;
  if (pid === undefined) throw new Error("kamailio has no process id");
  const dispose = async () => {
    await child.end();
    await rm(folder, { recursive: true, force: true });
  };
  return { pid, [Symbol.asyncDispose]: dispose };
}

const configuration = ({ address, port }: Endpoint): string => `
debug=0
log_stderror=yes
children=2
auto_aliases=no
disable_tcp=yes
listen=udp:${address}:${port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("REGISTER")) { save("location"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not here");
    exit;
  }
  t_check_trans();
  record_route();
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;
