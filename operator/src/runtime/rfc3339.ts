/** Times as the Kubernetes API writes them (RFC 3339, in UTC). `at` in milliseconds since 1970. */
import type { Ms } from "./clock.ts";

/** In whole seconds, as the type `Time` has them. */
export const rfc3339 = (at: Ms): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

/** With six digits of a second: the API server refuses any other number of digits for the type `MicroTime`. */
export const rfc3339Micro = (at: Ms): string => new Date(at).toISOString().replace("Z", "000Z");
