/** Counters with labels, without an unbounded number of series: senders and callees can invent methods and status codes. */
import type { Counter } from "prom-client";

/** Methods that get a label of their own; all others are "other". */
const methods: ReadonlySet<string> = new Set(
  "INVITE ACK BYE CANCEL OPTIONS REGISTER MESSAGE SUBSCRIBE NOTIFY REFER INFO UPDATE PRACK PUBLISH".split(
    " ",
  ),
);

/** Pairs of method and code with a series of their own. Phones use far fewer; further pairs count as 1xx to 6xx. */
const maxPairs = 300;

/** A series of a counter. Finding it once and keeping it saves hashing the labels at each message. */
interface Series {
  inc(): void;
}

export function countByMethod(counter: Counter): (method: string) => void {
  const series = new Map<string, Series>();
  return (method) => {
    const label = labelOf(method);
    seriesOf(series, label, () => counter.labels(label)).inc();
  };
}

export function countByCode(counter: Counter): (method: string, status: number) => void {
  const series = new Map<string, Series>();
  return (method, status) => {
    const label = labelOf(method);
    const hasOwnSeries = series.size < maxPairs || series.has(`${label} ${status}`);
    const code = hasOwnSeries ? String(status) : `${Math.floor(status / 100)}xx`;
    seriesOf(series, `${label} ${code}`, () => counter.labels(label, code)).inc();
  };
}

/** For labels of which this program has a few. */
export function countByTwo(counter: Counter): (first: string, second: string) => void {
  const series = new Map<string, Map<string, Series>>();
  return (first, second) => {
    let ofFirst = series.get(first);
    if (ofFirst === undefined) series.set(first, (ofFirst = new Map<string, Series>()));
    seriesOf(ofFirst, second, () => counter.labels(first, second)).inc();
  };
}

const labelOf = (method: string): string => (methods.has(method) ? method : "other");

function seriesOf(known: Map<string, Series>, key: string, make: () => Series): Series {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
