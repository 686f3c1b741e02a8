/** The node's metrics: one table of names, and the functions that the floor plan reports through. Times are in seconds. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Ms } from "../wire/units.ts";
import { PerMinute } from "./per-minute.ts";

const fast = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const human = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 180];

/** Methods that get a label of their own; a sender could invent any number of others. */
const methods = new Set([
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "OPTIONS",
  "REGISTER",
  "MESSAGE",
  "SUBSCRIBE",
  "NOTIFY",
  "REFER",
  "INFO",
  "UPDATE",
  "PRACK",
  "PUBLISH",
]); // prettier-ignore

/** Pairs of method and code counted apart: far more than phones use, far fewer than a callee can invent. */
const maxCodes = 300;

export interface Telemetry {
  readonly registry: Registry;
  request(method: string): void;
  response(method: string, status: number): void;
  malformed(): void;
  invariantBroken(): void;
  /** From a request's datagram to its first branch. */
  forwarded(duration: Ms): void;
  ringing(duration: Ms): void;
  inviteAnswered(duration: Ms): void;
  registered(duration: Ms): void;
  statement(name: string, duration: Ms): void;
  /** A phone sent a new request to this node itself. */
  asked(now: Ms): void;
  /** A new call was answered. */
  callAnswered(now: Ms): void;
  drains(isDraining: boolean): void;
  /** What became of files that changed: problems, and settings that only a restart brings; none of either: in force. */
  configured(problems: number, restarts: number): void;
  perMinute(now: Ms): { readonly callsPerMinute: number; readonly requestsPerMinute: number };
}

/** What is read when metrics are scraped. */
export interface Readings {
  transactions(): { readonly server: number; readonly client: number };
  eventLoopLag(): Ms;
  peers(): number;
  flows(): number;
  relays(): Readonly<Record<string, number>>;
}

export function createTelemetry(readings: Readings): Telemetry {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []) =>
    new Histogram({ name, help, buckets, labelNames, registers });
  const level = (name: string, help: string) => new Gauge({ name, help, registers });
  const gauge = (name: string, help: string, read: (gauge: Gauge) => void, labelNames: string[] = []) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        read(this);
      },
    }); // prettier-ignore

  const requests = counter("strowger_sip_requests_total", "SIP requests received, retransmissions included", [
    "method",
  ]);
  const responses = counter(
    "strowger_sip_responses_total",
    "SIP responses sent, retransmissions not counted",
    ["method", "code"],
  );
  const malformed = counter("strowger_sip_malformed_total", "Datagrams that were no legible SIP message");
  const invariants = counter(
    "strowger_invariant_violations_total",
    "Errors of our own that reached the process's edge",
  );
  const forwarded = histogram(
    "strowger_proxy_added_seconds",
    "From a request's arrival to its first branch",
    fast,
  );
  const ringing = histogram(
    "strowger_invite_ringing_seconds",
    "From INVITE to its first 18x response",
    human,
  );
  const answered = histogram("strowger_invite_final_seconds", "From INVITE to its final response", human);
  const registered = histogram("strowger_register_seconds", "From REGISTER to its final response", fast);
  const statements = histogram(
    "strowger_database_seconds",
    "Time of a statement or transaction of the database",
    fast,
    ["statement"],
  );

  gauge(
    "strowger_transactions",
    "Transactions held, those in their last 32 seconds included",
    (self) => {
      const { server, client } = readings.transactions();
      self.set({ kind: "server" }, server);
      self.set({ kind: "client" }, client);
    },
    ["kind"],
  ); // prettier-ignore
  gauge(
    "strowger_event_loop_lag_seconds",
    "How late the event loop runs, at most since the last scrape",
    (self) => self.set(readings.eventLoopLag() / 1000),
  );
  gauge("strowger_peers", "Other nodes alive", (self) => self.set(readings.peers()));
  gauge("strowger_flows", "Flows whose owner this node knows", (self) => self.set(readings.flows()));
  new Counter({
    name: "strowger_relays_total",
    help: "Messages relayed between nodes, frames refused, and new requests handed over in a drain: given, taken",
    labelNames: ["direction"],
    registers,
    collect() {
      this.reset();
      for (const [direction, count] of Object.entries(readings.relays())) this.inc({ direction }, count);
    },
  });

  const calls = counter("strowger_calls_total", "New calls answered with 2xx");
  const draining = level("strowger_draining", "1 while this node drains");
  const problems = level(
    "strowger_configuration_problems",
    "Problems of the configuration and keys as mounted now; while there are any, the last good ones stay in force",
  );
  const restarts = level(
    "strowger_configuration_restarts",
    "Settings as mounted now that come into force with a restart only",
  );
  const reloads = counter(
    "strowger_configuration_reloads_total",
    "Times that changed configuration or keys were read while the node ran",
    ["result"],
  );
  const minute = { calls: new PerMinute(), requests: new PerMinute() };

  const byMethod = new Map<string, { inc(): void }>();
  const byCode = new Map<string, { inc(): void }>();
  const label = (method: string): string => (methods.has(method) ? method : "other");
  return {
    registry,
    request: (method) => child(byMethod, label(method), (name) => requests.labels(name)).inc(),
    response(method, status) {
      const name = label(method);
      const isCounted = byCode.size < maxCodes || byCode.has(`${name} ${status}`);
      const code = isCounted ? String(status) : `${Math.floor(status / 100)}xx`;
      child(byCode, `${name} ${code}`, () => responses.labels(name, code)).inc();
    },
    malformed: () => malformed.inc(),
    invariantBroken: () => invariants.inc(),
    forwarded: (duration) => forwarded.observe(duration / 1000),
    ringing: (duration) => ringing.observe(duration / 1000),
    inviteAnswered: (duration) => answered.observe(duration / 1000),
    registered: (duration) => registered.observe(duration / 1000),
    statement: (name, duration) => statements.observe({ statement: name }, duration / 1000),
    asked: (now) => minute.requests.add(now),
    callAnswered(now) {
      calls.inc();
      minute.calls.add(now);
    },
    drains: (isDraining) => draining.set(isDraining ? 1 : 0),
    configured(found, waiting) {
      problems.set(found);
      restarts.set(waiting);
      reloads.inc({ result: found > 0 ? "refused" : "applied" });
    },
    perMinute: (now) => ({
      callsPerMinute: minute.calls.count(now),
      requestsPerMinute: minute.requests.count(now),
    }),
  };
}

/** A labelled child is looked up once and kept: hashing labels at each message is dear. */
function child(
  known: Map<string, { inc(): void }>,
  key: string,
  make: (key: string) => { inc(): void },
): { inc(): void } {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make(key);
  known.set(key, made);
  return made;
}
