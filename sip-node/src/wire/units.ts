/** Units as types. SIP's Expires is in seconds and its timers are in milliseconds. */

declare const unit: unique symbol;

/** A length of time, or a point on the node's monotonic clock, in milliseconds. */
export type Ms = number & { readonly [unit]?: "ms" };

/** A length of time in whole seconds (RFC 3261 §20.19 delta-seconds). */
export type Seconds = number & { readonly [unit]?: "s" };

/** A point in time as milliseconds since 1970. */
export type Epoch = number & { readonly [unit]?: "epoch" };
