/** Requests that the proxy refuses. */
import { wireText } from "../wire/wire-text.ts";

/** A request refused: the final response and the header lines it needs, each with its CRLF. */
export interface Rejection {
  readonly kind: "reject";
  readonly status: number;
  readonly reason: string;
  readonly lines: string;
  /** Nobody has proved yet who asks: the floor plan keeps nothing for it. */
  readonly isToStranger?: boolean;
}

export const reject = (status: number, reason: string, lines = ""): Rejection => ({
  kind: "reject",
  status,
  reason,
  lines,
});

/** Refused before it was known who asks (§26.3.2.4). */
export const toStranger = (rejection: Rejection): Rejection => ({ ...rejection, isToStranger: true });

/** Warning 399 says which domain (§20.43). */
export const notServed = (domain: string): Rejection =>
  reject(
    404,
    "Domain Not Served",
    `Warning: 399 strowger "The domain ${wireText(domain)} is not served here"\r\n`,
  );
