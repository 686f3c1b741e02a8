/**
 * Whether this node could open a new connection to the database. Open connections stay valid after the password has changed. Without this
 * check a wrong password would be noticed only when the server restarts.
 */

/** The length of `strowger_node.database_error`, in characters. */
const maxProblemLength = 255;

export class LoginCheck {
  private readonly testLogin: () => Promise<void>;
  private readonly onChange: (problem: string) => void;
  private lastProblem = "";

  /** `onChange` is called when the problem changes; "": the login works. */
  constructor(testLogin: () => Promise<void>, onChange: (problem: string) => void) {
    this.testLogin = testLogin;
    this.onChange = onChange;
  }

  /** The problem of the last check; "": the login worked. */
  get problem(): string {
    return this.lastProblem;
  }

  /** Never rejects. */
  async check(): Promise<void> {
    const problem = await this.testLogin().then(() => "", problemOf);
    if (problem === this.lastProblem) return;
    this.lastProblem = problem;
    this.onChange(problem);
  }
}

/** Never empty: some errors of the driver have a code only. */
function problemOf(error: unknown): string {
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return (message || code || String(error)).slice(0, maxProblemLength);
}
