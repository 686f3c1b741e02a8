/**
 * Tests the exchange with two phones on an independent SIP stack. Each phone registers through another node and calls the other phone. The
 * nodes' metrics show which node handled a request; if one of several nodes handled both phones, the check fails.
 */
import { drawCallFlow, type CallFlowMessage } from "./call-flow.ts";
import { CheckFailure } from "./check-failure.ts";
import type { Login } from "./exchange.ts";
import { freeUdpPort } from "./free-port.ts";
import { describeNodeCounters, findReceivingNode, readNodeCounters } from "./node-counters.ts";
import type { SipNode } from "./nodes.ts";
import { ScriptedPhone, type PhoneLogin } from "./scripted-phone.ts";
import { sip, type SipRequest, type SipResponse } from "./sip-package.ts";
import type { UpDependencies } from "./up-dependencies.ts";
import { waitFor } from "./wait.ts";

export interface Verdict {
  readonly passed: boolean;
  readonly reason: string;
}

const phoneAddresses = { left: "127.0.0.11", right: "127.0.0.12" } as const;
/** With two nodes, half of the source ports lead to the wanted node. After this many attempts the kernel does not choose it at all. */
const maxPorts = 60;

/** Prints the call flow and the nodes' counters. The caller prints the verdict. `logins` are those whose SipUser is Ready. */
export async function runSelfCheck(
  deps: UpDependencies,
  nodes: readonly SipNode[],
  logins: readonly Login[],
): Promise<Verdict> {
  const messages: CallFlowMessage[] = [];
  const before = await readNodeCounters(nodes);
  let reason: string | undefined;
  let success = "";
  try {
    success = await placeTwoCalls(deps, nodes, selectCallers(logins), messages);
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    reason = error.message;
  }
  const [left, right] = selectCallers(logins);
  deps.print("");
  if (left !== undefined && right !== undefined) {
    for (const line of drawCallFlow({ left: left.username, right: right.username }, messages))
      deps.print(line);
    deps.print("");
  }
  for (const line of describeNodeCounters(nodes, before, await readNodeCounters(nodes))) deps.print(line);
  deps.print("");
  return reason === undefined ? { passed: true, reason: success } : { passed: false, reason };
}

async function placeTwoCalls(
  deps: UpDependencies,
  nodes: readonly SipNode[],
  [leftLogin, rightLogin]: readonly PhoneLogin[],
  messages: CallFlowMessage[],
): Promise<string> {
  if (!leftLogin || !rightLogin)
    throw new CheckFailure(
      "the self-check needs two users of one domain who can log in and whose passwords are known",
    );
  using left = await openPhoneOn(deps, nodes, nodes[0], "left", leftLogin, messages);
  using right = await openPhoneOn(deps, nodes, nodes[1] ?? nodes[0], "right", rightLogin, messages);
  const leftNode = await registerAndFindNode(left, nodes);
  const rightNode = await registerAndFindNode(right, nodes);
  if (nodes.length > 1 && leftNode === rightNode)
    throw new CheckFailure(`both phones registered through ${leftNode}, not through two nodes`);
  await callAndHangUp(left, right, "caller", deps.stop);
  await callAndHangUp(right, left, "callee", deps.stop);
  for (const phone of [left, right])
    await expectStatus(phone.register(0), 200, `${phone.options.login.username} de-registers`);
  const names = `${leftLogin.username} on ${leftNode} and ${rightLogin.username} on ${rightNode}`;
  return nodes.length > 1
    ? `${names} called each other`
    : `${names} called each other; with one node, calls between nodes were not tested`;
}

/** The first two users of one domain whose passwords are known. */
function selectCallers(logins: readonly Login[]): readonly PhoneLogin[] {
  const known = logins.flatMap(({ username, domain, password }) =>
    password === undefined ? [] : [{ username, domain, password }],
  );
  const domain = known.find(
    (login) => known.filter((other) => other.domain === login.domain).length > 1,
  )?.domain;
  return known.filter((login) => login.domain === domain).slice(0, 2);
}

/** Opens a phone on a source port whose datagrams the kernel gives to `wanted`; that node's OPTIONS counter shows it. */
async function openPhoneOn(
  deps: UpDependencies,
  nodes: readonly SipNode[],
  wanted: SipNode | undefined,
  side: "left" | "right",
  login: PhoneLogin,
  messages: CallFlowMessage[],
): Promise<ScriptedPhone> {
  const address = phoneAddresses[side];
  const { address: exchangeAddress, port: exchangePort } = deps.options;
  let isRecorded = false;
  for (let attempt = 0; attempt < maxPorts; attempt++) {
    const phone = new ScriptedPhone({
      login,
      address,
      port: await freeUdpPort(address),
      exchange: { address: exchangeAddress, port: exchangePort },
      onMessage: (direction, message) => {
        if (isRecorded)
          messages.push({
            side,
            direction: direction === "out" ? "to exchange" : "from exchange",
            text: describe(message),
          });
      },
    });
    const receivingNode = await findReceivingNode(nodes, "OPTIONS", () =>
      expectStatus(phone.sendOptions(), 200, `OPTIONS to ${exchangeAddress}:${exchangePort}`),
    );
    if (receivingNode === wanted?.name) {
      isRecorded = true;
      return phone;
    }
    phone[Symbol.dispose]();
  }
  throw new CheckFailure(
    `no source port of ${address} led to ${wanted?.name} in ${maxPorts} attempts; the other nodes received everything`,
  );
}

async function registerAndFindNode(phone: ScriptedPhone, nodes: readonly SipNode[]): Promise<string> {
  const { username } = phone.options.login;
  const node = await findReceivingNode(nodes, "REGISTER", () =>
    expectStatus(phone.register(120), 200, `${username} registers`),
  );
  if (node === undefined)
    throw new CheckFailure(`${username} registered, but not exactly one node counted the REGISTER`);
  return node;
}

async function callAndHangUp(
  caller: ScriptedPhone,
  callee: ScriptedPhone,
  ends: "caller" | "callee",
  stop: AbortSignal,
): Promise<void> {
  const callName = `${caller.options.login.username} calls ${callee.options.login.username}`;
  const { status, provisional, dialog } = await caller.call(callee.options.login.username);
  if (status !== 200 || !dialog) throw new CheckFailure(`${callName}: answered ${status}, expected 200`);
  if (!provisional.includes(180)) throw new CheckFailure(`${callName}: 200 without 180 Ringing before`);
  const answered = callee.answered.get(dialog.callId);
  if (!answered) throw new CheckFailure(`${callName}: 200, but another phone of the callee answered`);
  // The ACK must reach the callee; without it the callee would end the call (§13.3.1.4).
  const acknowledged = await waitFor(
    () => (callee.acknowledged.has(dialog.callId) ? true : undefined),
    5000,
    stop,
  );
  if (!acknowledged) throw new CheckFailure(`${callName}: the ACK did not reach the callee`);
  const [endingPhone, itsDialog, other] =
    ends === "caller" ? ([caller, dialog, callee] as const) : ([callee, answered, caller] as const);
  await expectStatus(endingPhone.hangUp(itsDialog), 200, `${callName}, the ${ends} hangs up`);
  if (!other.hungUp.has(dialog.callId))
    throw new CheckFailure(`${callName}: BYE was answered, but did not reach the other phone`);
}

async function expectStatus(response: Promise<number>, expected: number, request: string): Promise<void> {
  const status = await response;
  if (status !== expected) throw new CheckFailure(`${request}: answered ${status}, expected ${expected}`);
}

function describe(message: SipRequest | SipResponse): string {
  if ("status" in message) return `${message.status} ${message.reason}`;
  const user = /^sip:([^@;]*)@/.exec(sip.stringifyUri(message.uri))?.[1];
  const hasCredentials = message.headers["authorization"] ?? message.headers["proxy-authorization"];
  return [message.method, user, hasCredentials && "(credentials)"].filter(Boolean).join(" ");
}
