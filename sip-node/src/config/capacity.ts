/**
 * What fits into the memory that the process may use. A flood must meet a 503 (design-sip rule 24) before the kernel ends the process,
 * and every transaction with it.
 */
import { maxFlows, maxTransactions } from "../wire/limits.ts";

/** With its messages, which UDP keeps short: 5 KB were measured for one without a call, and a call has two and a half times that. */
const transactionBytes = 10 * 1024;
/** Measured: 600 bytes. */
const flowBytes = 600;
/** The rest is the runtime's: code, new objects, buffers, statements. */
const shareOfTransactions = 0.4;
const shareOfFlows = 0.1;

export interface Capacity {
  readonly transactions: number;
  readonly flows: number;
}

/** `memory` in bytes; Infinity where nobody limits it. */
export const capacity = (memory: number): Capacity => ({
  transactions: Math.min(maxTransactions, Math.floor((memory * shareOfTransactions) / transactionBytes)),
  flows: Math.min(maxFlows, Math.floor((memory * shareOfFlows) / flowBytes)),
});
