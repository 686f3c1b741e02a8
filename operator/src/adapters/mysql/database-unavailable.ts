/** The database cannot be reached or does not serve; trying later may help. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown, when = "") {
    super(`database unavailable: ${when}${messageOf(cause)}`, { cause });
    this.name = "DatabaseUnavailable";
  }
}

/** Drivers leave the message empty now and then. */
export const messageOf = (error: unknown): string => {
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return message || code || String(error);
};
