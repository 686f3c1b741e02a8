/** Values of WWW-Authenticate and Proxy-Authenticate (RFC 3261 §20.44, §20.27; RFC 8760 §2.4). */
import type { DigestAlgorithm } from "./digest.ts";
import { toWireText } from "../wire/wire-text.ts";

/**
 * One value for each algorithm, in the given order of preference. Each is a header field of its own. `isStale` tells the phone to try again
 * without asking its user. Never empty: without algorithms it is MD5.
 */
export function buildChallenges(
  realm: string,
  algorithms: readonly DigestAlgorithm[],
  nonce: string,
  isStale: boolean,
): string[] {
  const quoted = toWireText(realm).replace(/["\\]/g, "\\$&");
  const offered = algorithms.length > 0 ? algorithms : defaultAlgorithms;
  return offered.map(
    (algorithm) =>
      `Digest realm="${quoted}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${isStale ? ", stale=true" : ""}`,
  );
}

/** Some phones in use fail if SHA-256 is offered beside MD5. */
export const defaultAlgorithms: readonly DigestAlgorithm[] = ["MD5"];
