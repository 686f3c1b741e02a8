/** The cluster at work: once a second what the nodes' metrics say, and one line for every object whose state changed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { House } from "./house.ts";
import { scrape, total, totalBy, type Samples } from "./metrics.ts";
import type { SipNode } from "./nodes.ts";
import { objectStates, type ObjectStates } from "./object-states.ts";
import type { Operator } from "./operator.ts";

/** What the live line shows; calls and codes are counted over all nodes since each node's start. */
interface Traffic {
  readonly nodesUp: number;
  readonly registrations: number;
  readonly calls: number;
  readonly codes: ReadonlyMap<string, number>;
}

/** Returns when the user wants to stop. A terminal gets one line that lives; a pipe gets a line only when something changed. */
export async function watch(house: House, operator: Operator, nodes: readonly SipNode[]): Promise<void> {
  const terminal = process.stdout.isTTY;
  let states = await objectStates(operator.httpUrl);
  let shown = "";
  house.say("Watching; Ctrl-C stops everything.");
  while (!house.stop.aborted) {
    const now = await objectStates(operator.httpUrl);
    for (const line of differences(states, now)) house.say(`${terminal ? "\r\x1b[K" : ""}${line}`);
    states = now ?? states;
    const text = liveText(await traffic(nodes), nodes.length);
    if (terminal) process.stdout.write(`\r\x1b[K${clock()}  ${text}`);
    else if (text !== shown) house.say(`${clock()}  ${text}`);
    shown = text;
    await sleep(1000, undefined, { signal: house.stop }).catch(() => undefined);
  }
}

async function traffic(nodes: readonly SipNode[]): Promise<Traffic> {
  const scraped = await Promise.all(nodes.map((node) => scrape(`${node.httpUrl}/metrics`)));
  const all = scraped.filter((samples): samples is Samples => samples !== undefined);
  const codes = new Map<string, number>();
  for (const samples of all) {
    for (const [code, count] of totalBy(samples, "strowger_sip_responses_total", "code")) {
      codes.set(code, (codes.get(code) ?? 0) + count);
    }
  }
  return {
    nodesUp: all.length,
    // Every node reads the same table, so each reports all bindings.
    registrations: Math.max(0, ...all.map((samples) => total(samples, "strowger_bindings"))),
    calls: all.reduce(
      (sum, samples) =>
        sum + total(samples, "strowger_sip_responses_total", { method: "INVITE", code: "200" }),
      0,
    ),
    codes,
  };
}

function liveText(now: Traffic, nodes: number): string {
  const codes = [...now.codes]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([code, count]) => `${code} x${count}`);
  return `${now.nodesUp}/${nodes} nodes   ${now.registrations} registrations   ${now.calls} calls answered   ${codes.join("  ")}`;
}

function differences(before: ObjectStates | undefined, now: ObjectStates | undefined): string[] {
  if (before === undefined || now === undefined) return [];
  const lines = [...now].flatMap(([name, state]) =>
    before.get(name) === state ? [] : [`${clock()}  ${name}: ${state}`],
  );
  const gone = [...before.keys()].flatMap((name) => (now.has(name) ? [] : [`${clock()}  ${name}: removed`]));
  return [...lines, ...gone];
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}
