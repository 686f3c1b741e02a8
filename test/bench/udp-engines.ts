/**
 * Measures whole calls through one node with each UDP engine, alternately (A B A B ...), each with its own MariaDB (docs/adr/0046).
 *
 *   node test/bench/udp-engines.ts [--rate 1000] [--seconds 4] [--rounds 5]
 */
import { parseArgs } from "node:util";
import { buildUdpAddon } from "../../native/udp/build.mjs";
import { strowger } from "./contestants/names.ts";
import { measure } from "./load.ts";
import { Stage } from "./stage.ts";
import { sampleText } from "./workloads/loads.ts";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "5" },
  },
});
const load = {
  kind: "trusted",
  rate: Number(values.rate),
  seconds: Number(values.seconds),
  warmUp: 2,
} as const;
console.log(`UDP addon: ${buildUdpAddon()}`);
await using dgram = await Stage.start({ profile: false, udp: "dgram" });
await using batched = await Stage.start({ profile: false, udp: "batched" });
const ratios: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const used: number[] = [];
  for (const stage of [dgram, batched]) {
    const sample = await measure(await stage.target(strowger), load);
    console.log(`${stage === dgram ? "dgram  " : "batched"} ${sampleText(sample)}`);
    used.push(sample.server);
  }
  ratios.push((used[0] ?? 0) / (used[1] ?? 1));
}
ratios.sort((a, b) => a - b);
const middle = ratios[Math.floor(ratios.length / 2)] ?? 0;
console.log(
  `dgram / batched, CPU of the node per call: ${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}, median ${middle.toFixed(2)}`,
);
