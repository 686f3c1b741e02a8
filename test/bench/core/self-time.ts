/** The processor profile of a part of a program: the own time of each function. */
import { relative } from "node:path";
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";

export interface SelfTime {
  /** `name file:line`. */
  readonly place: string;
  readonly microseconds: number;
}

/** Returns a function that ends the profile and resolves with its functions, the most expensive first. */
export async function startProfile(): Promise<() => Promise<readonly SelfTime[]>> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  return async () => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
    const times = new Map<string, number>();
    profile.samples?.forEach((id, i) => {
      const place = places.get(id) ?? "";
      times.set(place, (times.get(place) ?? 0) + (profile.timeDeltas?.[i] ?? 0));
    });
    return [...times]
      .map(([place, microseconds]) => ({ place, microseconds }))
      .sort((a, b) => b.microseconds - a.microseconds);
  };
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
