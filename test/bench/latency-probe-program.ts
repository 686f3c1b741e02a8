/**
 * A program with two phones that call each other through the server while sipp loads it, and that measures INVITE to 200. sipp's clock has steps
 * of 4 ms, and sipp itself waits for a processor under load; here the callee answers at once and the clock is exact. It is a process of its own,
 * because the benchmark's process also starts programs and reads their files.
 *
 *   node latency-probe-program.ts '{"server":{...},"rate":50,"skip":1.5,"seconds":4}'  prints a list of milliseconds as JSON
 */
import { Phone, type Endpoint } from "../support/phone.ts";
import { domain, passwordOf, probeUsers, trustedAddress } from "./users.ts";

export interface LatencyPlan {
  readonly server: Endpoint;
  /** Calls per second. */
  readonly rate: number;
  /** Seconds of calls that are not counted, then seconds of calls that are. */
  readonly skip: number;
  readonly seconds: number;
}

if (import.meta.main) {
  const plan = JSON.parse(process.argv[2] ?? "") as LatencyPlan;
  console.log(JSON.stringify(await measureLatencies(plan)));
  process.exit(0);
}

async function measureLatencies({ server, rate, skip, seconds }: LatencyPlan): Promise<number[]> {
  const [caller, callee] = await Promise.all(
    probeUsers.map((username) =>
      Phone.open({
        login: { username, domain, password: passwordOf(username) },
        exchange: server,
        address: trustedAddress,
      }),
    ),
  );
  if (caller === undefined || callee === undefined) throw new Error("expected two users");
  const registered = await callee.register();
  if (!registered.startLine.includes("200")) throw new Error(registered.startLine);
  const latencies: number[] = [];
  const call = async (isCounted: boolean): Promise<void> => {
    const started = performance.now();
    const dialog = await caller.call(callee.login.username);
    if (isCounted) latencies.push(performance.now() - started);
    await caller.inDialog("BYE", dialog).final;
  };
  const calls: Promise<void>[] = [];
  const total = Math.round(rate * (skip + seconds));
  const begun = performance.now();
  for (let count = 0; count < total; count++) {
    const wait = begun + (count * 1000) / rate - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    calls.push(call(count >= rate * skip));
  }
  await Promise.all(calls);
  await callee.register(0);
  return latencies;
}
