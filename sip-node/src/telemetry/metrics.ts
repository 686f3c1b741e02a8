/** Counts and measures the events of a node (`metric-table.ts` has the metrics). */
import { Registry } from "prom-client";
import type { Ms } from "../wire/units.ts";
import { countByCode, countByMethod, countByTwo } from "./count-by-label.ts";
import { createInstruments } from "./create-instruments.ts";
import type { Readings } from "./metric-table.ts";
import { PerMinute } from "./per-minute.ts";
import { Tallies } from "./tally.ts";

/** One function for each event. */
export interface Telemetry {
  readonly registry: Registry;
  request(method: string): void;
  response(method: string, status: number): void;
  malformed(): void;
  internalError(): void;
  /** From the arrival of a request to its first branch. */
  forwarded(duration: Ms): void;
  ringing(duration: Ms): void;
  inviteAnswered(duration: Ms): void;
  registered(duration: Ms): void;
  statement(name: string, duration: Ms): void;
  /** A change waited for the copies of the other nodes. */
  announced(waited: Ms): void;
  /** The location service answered a look-up, from where `result` says. */
  lookedUp(kind: string, result: string): void;
  /** A new request from a phone, not from a peer. */
  newRequest(now: Ms): void;
  /** A new call was answered. */
  callAnswered(now: Ms): void;
  drainingChanged(isDraining: boolean): void;
  /** Changed files were read: the number of problems, and of settings that need a restart. Without a problem they are in force. */
  configurationRead(problems: number, restarts: number): void;
  perMinute(now: Ms): { readonly callsPerMinute: number; readonly requestsPerMinute: number };
}

export function createTelemetry(readings: Readings): Telemetry {
  const registry = new Registry();
  const metrics = createInstruments(registry, readings);
  const calls = new Tallies(metrics.calls).add();
  const lastMinute = { calls: new PerMinute(), requests: new PerMinute() };
  return {
    registry,
    request: countByMethod(metrics.requests),
    response: countByCode(metrics.responses),
    malformed: () => metrics.malformed.inc(),
    internalError: () => metrics.internalErrors.inc(),
    forwarded: (duration) => metrics.forwarded.observe(duration),
    ringing: (duration) => metrics.ringing.observe(duration),
    inviteAnswered: (duration) => metrics.inviteAnswered.observe(duration),
    registered: (duration) => metrics.registered.observe(duration),
    announced: (duration) => metrics.copyAnnounced.observe(duration),
    statement: (name, duration) => metrics.statements.observe({ statement: name }, duration / 1000),
    lookedUp: countByTwo(metrics.lookups, ["kind", "result"]),
    newRequest: (now) => lastMinute.requests.add(now),
    callAnswered(now) {
      calls.count += 1;
      lastMinute.calls.add(now);
    },
    drainingChanged: (isDraining) => metrics.draining.set(isDraining ? 1 : 0),
    configurationRead(problems, restarts) {
      metrics.configurationProblems.set(problems);
      metrics.configurationRestarts.set(restarts);
      metrics.configurationReloads.inc({ result: problems > 0 ? "refused" : "applied" });
    },
    perMinute: (now) => ({
      callsPerMinute: lastMinute.calls.count(now),
      requestsPerMinute: lastMinute.requests.count(now),
    }),
  };
}
