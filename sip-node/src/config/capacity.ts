/**
 * How many transactions and flows fit into the memory of the process. During a flood of requests the node must answer 503 (design-sip rule 24)
 * before the kernel kills the process and with it every transaction.
 */
import { maxFlows, maxTransactions } from "../wire/limits.ts";

/** With its messages, which are short over UDP. Measured: 5 KB for a transaction without a call, and two and a half times that for a call. */
const transactionBytes = 10 * 1024;
/** Measured: 600 bytes. */
const flowBytes = 600;
/** The rest of the memory is for the runtime: code, new objects, buffers, statements. */
const shareOfTransactions = 0.4;
const shareOfFlows = 0.1;

export interface Capacity {
  readonly transactions: number;
  readonly flows: number;
}

/** `memory` in bytes; Infinity: no limit. */
export const capacity = (memory: number): Capacity => ({
  transactions: Math.min(maxTransactions, Math.floor((memory * shareOfTransactions) / transactionBytes)),
  flows: Math.min(maxFlows, Math.floor((memory * shareOfFlows) / flowBytes)),
});
