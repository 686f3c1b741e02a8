/** How much of a pitch is in a recording, by Goertzel's algorithm. */

/** The share (0 to 1) of the recording's energy at `pitch` Hz; 0 for silence. The quiet first half second of a call is left out. */
export function shareOfPitch(
  { samples, rate }: { readonly samples: Int16Array; readonly rate: number },
  pitch: number,
): number {
  const part = samples.subarray(Math.min(samples.length, Math.floor(rate / 2)));
  const coefficient = 2 * Math.cos((2 * Math.PI * pitch) / rate);
  let [before, last, energy] = [0, 0, 0];
  for (const sample of part) {
    [before, last] = [last, sample + coefficient * last - before];
    energy += sample * sample;
  }
  const power = last * last + before * before - coefficient * last * before;
  return energy === 0 ? 0 : (2 * power) / (part.length * energy);
}
