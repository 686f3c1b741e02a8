/** Profiles of a part of a program: the own time of each function, and what each function allocates. */
import { relative } from "node:path";
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";

export interface Share {
  /** `name file:line`. */
  readonly place: string;
  /** Microseconds or bytes. */
  readonly amount: number;
}

/** Returns a function that ends the profile and resolves with the time of each function, the most expensive first. */
export async function startTimeProfile(): Promise<() => Promise<readonly Share[]>> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  return async () => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
    const deltas = profile.timeDeltas ?? [];
    return inOrder(
      (profile.samples ?? []).map((id, i) => ({ place: places.get(id) ?? "", amount: deltas[i] ?? 0 })),
    );
  };
}

/** The same for the bytes that each function allocates, collected ones included. */
export async function startAllocationProfile(): Promise<() => Promise<readonly Share[]>> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: 8192,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  return async () => {
    const { profile } = await session.post("HeapProfiler.stopSampling");
    session.disconnect();
    const shares: Share[] = [];
    const nodes = [profile.head];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      shares.push({ place: placeOf(node.callFrame), amount: node.selfSize });
      for (const child of node.children) nodes.push(child);
    }
    return inOrder(shares);
  };
}

function inOrder(shares: readonly Share[]): readonly Share[] {
  const sums = new Map<string, number>();
  for (const { place, amount } of shares) sums.set(place, (sums.get(place) ?? 0) + amount);
  return [...sums].map(([place, amount]) => ({ place, amount })).sort((a, b) => b.amount - a.amount);
}

function placeOf({
  functionName,
  url,
  lineNumber,
}: {
  functionName: string;
  url: string;
  lineNumber: number;
}) {
  const file = url.startsWith("file:") ? relative(process.cwd(), fileURLToPath(url)) : url;
  return `${functionName || "(anonymous)"} ${file}${file === "" ? "" : `:${lineNumber + 1}`}`;
}
