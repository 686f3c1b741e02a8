/** The exchange failed a check. The message names the step and the expected result. */
export class CheckFailure extends Error {}
