/** The database cannot be reached, or does not accept statements now. A later attempt may succeed. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown, when = "") {
    super(`database unavailable: ${when}${messageOf(cause)}`, { cause });
    this.name = "DatabaseUnavailable";
  }
}

/** Some errors of drivers have an empty message. */
export const messageOf = (error: unknown): string => {
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return message || code || String(error);
};
