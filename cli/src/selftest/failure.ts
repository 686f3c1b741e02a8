/** The exchange did not do what it should; the message says which step, and what was expected. */
export class Failure extends Error {}
