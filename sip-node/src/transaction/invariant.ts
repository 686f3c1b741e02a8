/** We are wrong: nothing catches this except the process edge. */
export class Invariant extends Error {
  override readonly name = "Invariant";
}
