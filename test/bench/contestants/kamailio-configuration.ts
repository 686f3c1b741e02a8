/**
 * The configuration of Kamailio: the steps of the configuration that Debian installs with MySQL, digest, persistent locations and trusted
 * addresses switched on, without presence, accounting, NAT and gateways, which Strowger does not do in these calls. Both Kamailio
 * contestants use it; they differ in the number of processes and in the memory manager.
 */
import { kamailioModules } from "../../../cli/src/setup/tools.ts";
import type { Endpoint } from "../../support/phone.ts";
import { domain } from "../users.ts";

export interface KamailioSettings {
  readonly at: Endpoint;
  readonly children: number;
  /** 1: locations in memory, written through to the database. 3: every look-up reads the database. */
  readonly databaseMode: 1 | 3;
  /** `mysql://user:password@host:port/database`. */
  readonly databaseUrl: string;
}

const modules =
  "db_mysql kex corex tm tmx sl rr pv maxfwd usrloc registrar textops textopsx siputils xlog sanity counters auth auth_db permissions";

export const kamailioConfiguration = (settings: KamailioSettings): string => `
debug=0
log_stderror=yes
children=${settings.children}
auto_aliases=no
alias="${domain}"
disable_tcp=yes
listen=udp:${settings.at.address}:${settings.at.port}
mpath="${kamailioModules}/"
${modules
  .split(" ")
  .map((name) => `loadmodule "${name}.so"`)
  .join("\n")}
modparam("sanity", "autodrop", 0)
modparam("tm", "failure_reply_mode", 3)
modparam("tm", "fr_timer", 30000)
modparam("tm", "fr_inv_timer", 120000)
modparam("rr", "enable_full_lr", 0)
modparam("rr", "append_fromtag", 0)
modparam("registrar", "method_filtering", 1)
modparam("registrar", "max_expires", 3600)
modparam("usrloc", "timer_interval", 60)
modparam("usrloc", "timer_procs", 1)
modparam("usrloc", "use_domain", 0)
modparam("usrloc", "db_url", "${settings.databaseUrl}")
modparam("usrloc", "db_mode", ${settings.databaseMode})
modparam("auth_db", "db_url", "${settings.databaseUrl}")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth_db", "load_credentials", "")
modparam("auth_db", "use_domain", 0)
modparam("permissions", "db_url", "${settings.databaseUrl}")
modparam("permissions", "load_backends", 1)

request_route {
  route(CHECK);
  if (is_method("CANCEL")) {
    if (t_check_trans()) route(RELAY);
    exit;
  }
  if (!is_method("ACK")) {
    if (t_precheck_trans()) { t_check_trans(); exit; }
    t_check_trans();
  }
  route(DIALOG);
  route(AUTH);
  remove_hf("Route");
  if (is_method("INVITE|SUBSCRIBE")) record_route();
  if (is_method("REGISTER")) {
    if (!save("location")) sl_reply_error();
    exit;
  }
  if ($rU == $null) { sl_send_reply("484", "Address Incomplete"); exit; }
  if (!lookup("location")) { t_newtran(); send_reply("404", "Not Found"); exit; }
  route(RELAY);
}

route[CHECK] {
  set_reply_no_connect();
  force_rport();
  if ($ua =~ "friendly|scanner|sipcli|sipvicious|VaxSIPUserAgent|pplsip") exit;
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && uri == myself && $rU == $null) { sl_send_reply("200", "Keepalive"); exit; }
  if (!sanity_check("17895", "7")) exit;
}

route[DIALOG] {
  if (!has_totag()) return;
  if (loose_route()) route(RELAY);
  if (is_method("ACK")) {
    if (t_check_trans()) route(RELAY);
    exit;
  }
  sl_send_reply("404", "Not here");
  exit;
}

route[AUTH] {
  if (!is_method("REGISTER") && allow_source_address()) return;
  if (is_method("REGISTER") || from_uri == myself) {
    if (!auth_check("$fd", "subscriber", "1")) { auth_challenge("$fd", "0"); exit; }
    if (!is_method("REGISTER|PUBLISH")) consume_credentials();
  }
  if (uri != myself) { sl_send_reply("403", "Not relaying"); exit; }
}

route[RELAY] {
  if (is_method("INVITE|BYE|SUBSCRIBE|UPDATE") && !t_is_set("branch_route")) t_on_branch("BRANCH");
  if (is_method("INVITE|SUBSCRIBE|UPDATE") && !t_is_set("onreply_route")) t_on_reply("REPLY");
  if (is_method("INVITE") && !t_is_set("failure_route")) t_on_failure("FAILURE");
  if (!t_relay()) sl_reply_error();
  exit;
}

branch_route[BRANCH] { return; }
onreply_route[REPLY] { return; }
failure_route[FAILURE] { if (t_is_canceled()) exit; }
reply_route { if (!sanity_check("17604", "6")) drop; }
`;
