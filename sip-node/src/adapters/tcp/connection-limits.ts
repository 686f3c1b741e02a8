/** How long a connection may be idle or slow, and how many there may be. */
import type { Ms } from "../../wire/units.ts";

/** Why a node closed or refused a connection. */
export const closeReasons = ["full", "source", "idle", "slow", "malformed", "unread"] as const;
export type CloseReason = (typeof closeReasons)[number];

/** All connections of a node (`full`). Each has a file descriptor and about 5 kB. */
export const maxConnections = 20_000;
/** Connections of one address whose phones have not authenticated (`source`). An office behind one address has more phones, which do. */
export const maxStrangersPerAddress = 200;
/** From the first byte of a message to its last one (`slow`). */
export const maxMessageTime: Ms = 10_000;
/** Without a message or a ping, for a phone that has not authenticated (`idle`). The kernel probes the others every minute. */
export const maxIdleTime: Ms = 60_000;
/** From this node's end of a connection to the peer's. */
export const maxEndTime: Ms = 500;
/** Bytes that wait because the peer does not read (`unread`). */
export const maxUnread = 1_048_576;
