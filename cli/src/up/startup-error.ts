/** A problem that the user can solve, for example a port in use. `strowger up` prints the message without a stack and ends. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}
