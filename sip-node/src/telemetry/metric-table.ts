/** All metrics of a node, in the order of docs/metrics.md. Times are in seconds. */
import type { Ms } from "../wire/units.ts";

/** The values that are read when metrics are scraped. */
export interface Readings {
  transactions(): { readonly server: number; readonly client: number };
  /** The longest delay of the event loop since the last scrape. */
  eventLoopLag(): Ms;
  peers(): number;
  flows(): number;
  relays(): Readonly<Record<string, number>>;
  /** Of the copy of users and bindings. */
  leases(): {
    readonly isCurrent: boolean;
    readonly held: number;
    readonly needed: number;
    readonly announced: number;
    readonly distrusts: number;
  };
  copied(): Readonly<Record<string, number>>;
  evicted(): Readonly<Record<string, number>>;
  /** Datagrams that got no answer, by reason. */
  dropped(): Readonly<Record<string, number>>;
  failedLogins(): number;
  /** The index in `loadLevels`. */
  loadLevel(): number;
  /** The open UDP sockets. */
  udp(): readonly UdpReading[];
  /** TCP connections of phones; empty: TCP is not served. */
  streams(): readonly StreamReading[];
}

export interface UdpReading {
  readonly socket: "phones" | "direct" | "peers";
  readonly engine: string;
  /** In bytes. */
  readonly receiveBuffer: number;
  /** Undefined: not known on this system. */
  readonly receiveDrops: number | undefined;
  readonly sendDrops: number;
}

export interface StreamReading {
  readonly size: number;
  /** Connections that this node closed or refused, by reason. */
  readonly closed: Readonly<Record<string, number>>;
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
  /** The samples of a metric that is read when it is scraped, instead of being set before. */
  readonly read?: (readings: Readings) => readonly Sample[];
}

/** For the work of a node. */
const fast = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
/** For what people do, such as answering a call. */
const human = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 180];

const pairs = (values: Readonly<Record<string, number>>, label: string): readonly Sample[] =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));

export const metricTable = {
  requests: {
    type: "counter",
    name: "strowger_sip_requests_total",
    help: "SIP requests received, with retransmissions",
    labels: ["method"],
  },
  responses: {
    type: "counter",
    name: "strowger_sip_responses_total",
    help: "SIP responses sent, without retransmissions",
    labels: ["method", "code"],
  },
  malformed: {
    type: "counter",
    name: "strowger_sip_malformed_total",
    help: "Datagrams that could not be parsed as a SIP message",
  },
  internalErrors: {
    type: "counter",
    name: "strowger_invariant_violations_total",
    help: "Internal errors of the node: programming mistakes, each with a log line",
  },
  forwarded: {
    type: "histogram",
    name: "strowger_proxy_added_seconds",
    help: "Time from the arrival of a request to its first branch",
    buckets: fast,
  },
  ringing: {
    type: "histogram",
    name: "strowger_invite_ringing_seconds",
    help: "Time from an INVITE to its first 18x response",
    buckets: human,
  },
  inviteAnswered: {
    type: "histogram",
    name: "strowger_invite_final_seconds",
    help: "Time from an INVITE to its final response",
    buckets: human,
  },
  registered: {
    type: "histogram",
    name: "strowger_register_seconds",
    help: "Time from a REGISTER to its final response",
    buckets: fast,
  },
  statements: {
    type: "histogram",
    name: "strowger_database_seconds",
    help: "Duration of a statement or a transaction of the database",
    labels: ["statement"],
    buckets: fast,
  },
  lookups: {
    type: "counter",
    name: "strowger_copy_lookups_total",
    help: "Look-ups of users, bindings and dialogs, by how they were answered: from the copy in memory, from the database, from the copy because the database is away, or not at all (unavailable)",
    labels: ["kind", "result"],
  },
  copied: {
    type: "gauge",
    name: "strowger_copy_entries",
    help: "Names (users, domains, aliases) and addresses of record in the copy",
    labels: ["kind"],
    read: (readings) => pairs(readings.copied(), "kind"),
  },
  evicted: {
    type: "counter",
    name: "strowger_copy_evictions_total",
    help: "Names and addresses of record that were removed from the copy because it was full",
    labels: ["kind"],
    read: (readings) => pairs(readings.evicted(), "kind"),
  },
  transactions: {
    type: "gauge",
    name: "strowger_transactions",
    help: "SIP transactions in memory; one stays for up to 32 seconds after its final response",
    labels: ["kind"],
    read: (readings) =>
      Object.entries(readings.transactions()).map(([kind, value]) => ({ labels: { kind }, value })),
  },
  eventLoopLag: {
    type: "gauge",
    name: "strowger_event_loop_lag_seconds",
    help: "The longest delay of the event loop since the last scrape",
    read: (readings) => [{ value: readings.eventLoopLag() / 1000 }],
  },
  peers: {
    type: "gauge",
    name: "strowger_peers",
    help: "Other nodes that are alive",
    read: (readings) => [{ value: readings.peers() }],
  },
  flows: {
    type: "gauge",
    name: "strowger_flows",
    help: "Flows whose owner this node knows",
    read: (readings) => [{ value: readings.flows() }],
  },
  relays: {
    type: "counter",
    name: "strowger_relays_total",
    help: "Messages relayed between nodes, frames refused, and new requests that a draining node handed over (given) or that this node took over (taken)",
    labels: ["direction"],
    read: (readings) =>
      Object.entries(readings.relays()).map(([direction, value]) => ({ labels: { direction }, value })),
  },
  dropped: {
    type: "counter",
    name: "strowger_dropped_datagrams_total",
    help: "Datagrams from phones that got no answer: malformed, of a scanner, above the rate of their source, a failed-login too many, for a domain that is not-served, a REGISTER that waited too long (register-queue), or of a stranger during overload",
    labels: ["reason"],
    read: (readings) =>
      Object.entries(readings.dropped()).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  failedLogins: {
    type: "counter",
    name: "strowger_failed_logins_total",
    help: "Requests with a wrong password, or of an unknown user",
    read: (readings) => [{ value: readings.failedLogins() }],
  },
  loadLevel: {
    type: "gauge",
    name: "strowger_load_level",
    help: "0: normal; 1: busy, requests above a limit are dropped; 2: saturated, requests of strangers are dropped; 3: overloaded, new calls are handed to other nodes or get 503",
    read: (readings) => [{ value: readings.loadLevel() }],
  },
  connections: {
    type: "gauge",
    name: "strowger_connections",
    help: "Open TCP connections of phones",
    read: (readings) => readings.streams().map(({ size }) => ({ value: size })),
  },
  connectionsClosed: {
    type: "counter",
    name: "strowger_connections_closed_total",
    help: "TCP connections that this node closed or refused: full (too many in all), source (too many strangers of one address), idle, slow (10 s for a message), malformed, or unread (the peer does not read)",
    labels: ["reason"],
    read: (readings) => readings.streams().flatMap(({ closed }) => pairs(closed, "reason")),
  },
  udpEngine: {
    type: "gauge",
    name: "strowger_udp_engine",
    help: "1 for the engine of the UDP sockets: batched (the addon native/udp) or dgram (Node's own sockets)",
    labels: ["engine"],
    read: (readings) =>
      [...new Set(readings.udp().map(({ engine }) => engine))].map((engine) => ({
        labels: { engine },
        value: 1,
      })),
  },
  udpReceiveBuffer: {
    type: "gauge",
    name: "strowger_udp_receive_buffer_bytes",
    help: "Size of the kernel's receive buffer, as granted; net.core.rmem_max limits it",
    labels: ["socket"],
    read: (readings) =>
      readings.udp().map(({ socket, receiveBuffer }) => ({ labels: { socket }, value: receiveBuffer })),
  },
  udpReceiveDrops: {
    type: "counter",
    name: "strowger_udp_receive_drops_total",
    help: "Datagrams that the kernel dropped because the receive buffer was full",
    labels: ["socket"],
    read: (readings) =>
      readings
        .udp()
        .flatMap(({ socket, receiveDrops }) =>
          receiveDrops === undefined ? [] : { labels: { socket }, value: receiveDrops },
        ),
  },
  udpSendDrops: {
    type: "counter",
    name: "strowger_udp_send_drops_total",
    help: "Datagrams that could not be sent",
    labels: ["socket"],
    read: (readings) =>
      readings.udp().map(({ socket, sendDrops }) => ({ labels: { socket }, value: sendDrops })),
  },
  copyCurrent: {
    type: "gauge",
    name: "strowger_copy_current",
    help: "1 while the node may answer look-ups of bindings from its copy, else 0",
    read: (readings) => [{ value: readings.leases().isCurrent ? 1 : 0 }],
  },
  copyLeases: {
    type: "gauge",
    name: "strowger_copy_leases",
    help: "Leases of the copy that other nodes must grant to this node (needed), and that run (held)",
    labels: ["state"],
    read: (readings) => {
      const { held, needed } = readings.leases();
      return [
        { labels: { state: "held" }, value: held },
        { labels: { state: "needed" }, value: needed },
      ];
    },
  },
  copyAnnouncements: {
    type: "counter",
    name: "strowger_copy_announcements_total",
    help: "Changes of bindings that this node announced to the copies of the other nodes, one for each group",
    read: (readings) => [{ value: readings.leases().announced }],
  },
  copyAnnounced: {
    type: "histogram",
    name: "strowger_copy_announce_seconds",
    help: "Time that an announced change waited for the other nodes, before the answer to its REGISTERs",
    buckets: [...fast, 2.5],
  },
  copyDistrusts: {
    type: "counter",
    name: "strowger_copy_distrusts_total",
    help: "Times that changes may have been missed, so that all bindings of the copy are read again",
    read: (readings) => [{ value: readings.leases().distrusts }],
  },
  calls: {
    type: "counter",
    name: "strowger_calls_total",
    help: "New calls answered with 2xx",
  },
  draining: {
    type: "gauge",
    name: "strowger_draining",
    help: "1 while this node drains, else 0",
  },
  configurationProblems: {
    type: "gauge",
    name: "strowger_configuration_problems",
    help: "Problems of the mounted configuration and keys; while there is one, the last valid files stay in force",
  },
  configurationRestarts: {
    type: "gauge",
    name: "strowger_configuration_restarts",
    help: "Changed settings of the mounted configuration that need a restart",
  },
  configurationReloads: {
    type: "counter",
    name: "strowger_configuration_reloads_total",
    help: "Times that the running node read changed configuration or keys",
    labels: ["result"],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
