/** A request refused by the registrar, the proxy or authentication: a value, never a throw. */
import { toWireText } from "./wire-text.ts";

/** The final response, and the header lines that it needs, each with its CRLF. */
export interface Rejection {
  readonly kind: "reject";
  readonly status: number;
  readonly reason: string;
  readonly lines: string;
  /** The sender is not authenticated: the response is sent once, and no transaction is kept (§26.3.2.4). */
  readonly isUnauthenticated?: boolean;
  /** Undefined: no password was tried. */
  readonly failedLogin?: FailedLogin;
  /** The request names a domain that is not served. */
  readonly isNotServed?: boolean;
}

/** A wrong password for this user. `response` is the digest: a retransmission has the same. */
export interface FailedLogin {
  readonly user: string;
  readonly response: string;
}

export const reject = (status: number, reason: string, lines = ""): Rejection => ({
  kind: "reject",
  status,
  reason,
  lines,
});

/** The same rejection, of a sender that is not authenticated. */
export const markUnauthenticated = (rejection: Rejection): Rejection => ({
  ...rejection,
  isUnauthenticated: true,
});

/** Warning 399 names the domain, so that a user sees a typing mistake in it (§20.43). */
export const rejectUnservedDomain = (domain: string): Rejection => ({
  ...reject(
    404,
    "Domain Not Served",
    `Warning: 399 strowger "The domain ${toWireText(domain)} is not served here"\r\n`,
  ),
  isNotServed: true,
});
