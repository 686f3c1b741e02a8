/**
 * Whether this node could sign in to the database anew. Open connections outlive the password that they were made with, so that without
 * this check a wrong one shows only when the server restarts.
 */

/** Of `strowger_node.database_error`, in characters. */
const longest = 255;

export class LoginCheck {
  private readonly tryLogin: () => Promise<void>;
  private readonly changed: (problem: string) => void;
  private found = "";

  /** `changed` is called whenever the outcome is another one than before; '' is: it can. */
  constructor(tryLogin: () => Promise<void>, changed: (problem: string) => void) {
    this.tryLogin = tryLogin;
    this.changed = changed;
  }

  /** Why it could not, when it was tried last; '': it could. */
  get problem(): string {
    return this.found;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const found = await this.tryLogin().then(() => "", textOf);
    if (found === this.found) return;
    this.found = found;
    this.changed(found);
  }
}

/** Drivers leave the message empty now and then. */
function textOf(error: unknown): string {
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return (message || code || String(error)).slice(0, longest);
}
