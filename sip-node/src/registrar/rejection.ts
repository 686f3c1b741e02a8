/** A REGISTER refused: the final response and the header lines it needs, each with its CRLF. */
export interface Rejection {
  readonly kind: "reject";
  readonly status: number;
  readonly reason: string;
  readonly lines: string;
}

export const reject = (status: number, reason: string, lines = ""): Rejection => ({
  kind: "reject",
  status,
  reason,
  lines,
});
