/** Counters with labels, without an unbounded number of series: senders and callees can invent methods and status codes. */
import type { Counter } from "prom-client";
import { Tallies, type Tally } from "./tally.ts";

/** Methods that get a label of their own; all others are "other". */
const methods: ReadonlySet<string> = new Set(
  "INVITE ACK BYE CANCEL OPTIONS REGISTER MESSAGE SUBSCRIBE NOTIFY REFER INFO UPDATE PRACK PUBLISH".split(
    " ",
  ),
);

/** Pairs of method and code with a series of their own. Phones use far fewer; further pairs count as 1xx to 6xx. */
const maxPairs = 300;

export function countByMethod(counter: Counter): (method: string) => void {
  const tallies = new Tallies(counter);
  const known = new Map<string, Tally>();
  return (method) => {
    const label = labelOf(method);
    let tally = known.get(label);
    if (tally === undefined) known.set(label, (tally = tallies.add({ method: label })));
    tally.count += 1;
  };
}

export function countByCode(counter: Counter): (method: string, status: number) => void {
  const tallies = new Tallies(counter);
  /** By label of the method, then by status; classes of codes are 1 to 6. */
  const known = new Map<string, Map<number, Tally>>();
  let pairs = 0;
  return (method, status) => {
    const label = labelOf(method);
    let byCode = known.get(label);
    if (byCode === undefined) known.set(label, (byCode = new Map<number, Tally>()));
    const key = pairs < maxPairs || byCode.has(status) ? status : Math.floor(status / 100);
    let tally = byCode.get(key);
    if (tally === undefined) {
      const code = key < 100 ? `${key}xx` : String(key);
      byCode.set(key, (tally = tallies.add({ method: label, code })));
      pairs += 1;
    }
    tally.count += 1;
  };
}

/** For labels of which this program has a few; `names`: of both labels. */
export function countByTwo(
  counter: Counter,
  names: readonly [string, string],
): (first: string, second: string) => void {
  const tallies = new Tallies(counter);
  const known = new Map<string, Map<string, Tally>>();
  return (first, second) => {
    let ofFirst = known.get(first);
    if (ofFirst === undefined) known.set(first, (ofFirst = new Map<string, Tally>()));
    let tally = ofFirst.get(second);
    if (tally === undefined)
      ofFirst.set(second, (tally = tallies.add({ [names[0]]: first, [names[1]]: second })));
    tally.count += 1;
  };
}

const labelOf = (method: string): string => (methods.has(method) ? method : "other");
