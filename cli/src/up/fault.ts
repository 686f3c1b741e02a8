/** What stops `strowger up` and is not our bug: one clear message, printed without a stack. */
export class Fault extends Error {
  override readonly name = "Fault";
}
