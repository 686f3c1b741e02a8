/** The share of a tone in a recording, by Goertzel's algorithm. */

/** The share (0 to 1) of the recording's energy at `toneHz`; 0 for silence. The first half second of a call is silent and is skipped. */
export function shareOfTone(
  { samples, rate }: { readonly samples: Int16Array; readonly rate: number },
  toneHz: number,
): number {
  const part = samples.subarray(Math.min(samples.length, Math.floor(rate / 2)));
  const coefficient = 2 * Math.cos((2 * Math.PI * toneHz) / rate);
  let [before, last, energy] = [0, 0, 0];
  for (const sample of part) {
    [before, last] = [last, sample + coefficient * last - before];
    energy += sample * sample;
  }
  const power = last * last + before * before - coefficient * last * before;
  return energy === 0 ? 0 : (2 * power) / (part.length * energy);
}
