/**
 * Proves that the exchange works, with two phones of an independent stack: both register, each through another node, and call each other
 * both ways. Who handled what is read from the nodes' own metrics; where only one node did the work, the check fails.
 */
import { freeUdpPort } from "./free-port.ts";
import type { Login } from "./exchange.ts";
import type { House } from "./house.ts";
import { ladder, type Step } from "./ladder.ts";
import { nodeWork, snapshot, whoTook } from "./node-work.ts";
import type { SipNode } from "./nodes.ts";
import { ScriptedPhone, type PhoneLogin } from "./scripted-phone.ts";
import { sip, type SipRequest, type SipResponse } from "./sip-package.ts";
import { waitFor } from "./wait.ts";

export interface Verdict {
  readonly passed: boolean;
  readonly reason: string;
}

class Failed extends Error {}

const phoneAddresses = { left: "127.0.0.11", right: "127.0.0.12" } as const;
/** With two nodes a port lands on the wanted one every second time; this many misses mean that it never will. */
const portsToTry = 60;

/** Prints the ladder and the nodes' work; the verdict's reason is for the last line. `logins` can log in. */
export async function selfCheck(
  house: House,
  nodes: readonly SipNode[],
  logins: readonly Login[],
): Promise<Verdict> {
  const steps: Step[] = [];
  const before = await snapshot(nodes);
  let reason: string | undefined;
  let claim = "";
  try {
    claim = await twoCalls(house, nodes, callers(logins), steps);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    reason = error.message;
  }
  const [left, right] = callers(logins);
  house.say("");
  if (left !== undefined && right !== undefined) {
    for (const line of ladder({ left: left.username, right: right.username }, steps)) house.say(line);
    house.say("");
  }
  for (const line of nodeWork(nodes, before, await snapshot(nodes))) house.say(line);
  house.say("");
  return reason === undefined ? { passed: true, reason: claim } : { passed: false, reason };
}

async function twoCalls(
  house: House,
  nodes: readonly SipNode[],
  [leftLogin, rightLogin]: readonly PhoneLogin[],
  steps: Step[],
): Promise<string> {
  if (!leftLogin || !rightLogin)
    throw new Failed("it takes two users of one domain who can log in and whose passwords are known");
  using left = await phoneOn(house, nodes, nodes[0], "left", leftLogin, steps);
  using right = await phoneOn(house, nodes, nodes[1] ?? nodes[0], "right", rightLogin, steps);
  const leftNode = await registerAndTell(left, nodes);
  const rightNode = await registerAndTell(right, nodes);
  if (nodes.length > 1 && leftNode === rightNode)
    throw new Failed(`only ${leftNode} did the work: both phones registered through it`);
  await callAndHangUp(left, right, "caller", house.stop);
  await callAndHangUp(right, left, "callee", house.stop);
  for (const phone of [left, right])
    await mustBe(phone.register(0), 200, `${phone.plan.login.username} de-registers`);
  const names = `${leftLogin.username} on ${leftNode} and ${rightLogin.username} on ${rightNode}`;
  return nodes.length > 1
    ? `${names} called each other`
    : `${names} called each other; one node only, so nothing is shown about two`;
}

/** The first two users of one domain whose passwords are known. */
function callers(logins: readonly Login[]): readonly PhoneLogin[] {
  const known = logins.flatMap(({ username, domain, password }) =>
    password === undefined ? [] : [{ username, domain, password }],
  );
  const domain = known.find(
    (login) => known.filter((other) => other.domain === login.domain).length > 1,
  )?.domain;
  return known.filter((login) => login.domain === domain).slice(0, 2);
}

/** A phone on a source port whose datagrams the kernel gives to `wanted`, as that node's count of OPTIONS shows. */
async function phoneOn(
  house: House,
  nodes: readonly SipNode[],
  wanted: SipNode | undefined,
  side: "left" | "right",
  login: PhoneLogin,
  steps: Step[],
): Promise<ScriptedPhone> {
  const address = phoneAddresses[side];
  const { address: exchangeAddress, port: exchangePort } = house.options;
  let isDrawn = false;
  for (let attempt = 0; attempt < portsToTry; attempt++) {
    const phone = new ScriptedPhone({
      login,
      address,
      port: await freeUdpPort(address),
      exchange: { address: exchangeAddress, port: exchangePort },
      heard: (direction, message) => {
        if (isDrawn)
          steps.push({
            side,
            direction: direction === "out" ? "to exchange" : "from exchange",
            text: describe(message),
          });
      },
    });
    const took = await whoTook(nodes, "OPTIONS", () =>
      mustBe(phone.options(), 200, `OPTIONS to ${exchangeAddress}:${exchangePort}`),
    );
    if (took === wanted?.name) {
      isDrawn = true;
      return phone;
    }
    phone[Symbol.dispose]();
  }
  throw new Failed(
    `no source port of ${address} led to ${wanted?.name} in ${portsToTry} attempts: the other nodes do all the work`,
  );
}

async function registerAndTell(phone: ScriptedPhone, nodes: readonly SipNode[]): Promise<string> {
  const { username } = phone.plan.login;
  const node = await whoTook(nodes, "REGISTER", () =>
    mustBe(phone.register(120), 200, `${username} registers`),
  );
  if (node === undefined) throw new Failed(`${username} registered, but no node alone counted the REGISTER`);
  return node;
}

async function callAndHangUp(
  caller: ScriptedPhone,
  callee: ScriptedPhone,
  ends: "caller" | "callee",
  stop: AbortSignal,
): Promise<void> {
  const who = `${caller.plan.login.username} calls ${callee.plan.login.username}`;
  const { status, provisional, dialog } = await caller.call(callee.plan.login.username);
  if (status !== 200 || !dialog) throw new Failed(`${who}: answered ${status}, expected 200`);
  if (!provisional.includes(180)) throw new Failed(`${who}: 200 without 180 Ringing before`);
  const answered = callee.answered.get(dialog.callId);
  if (!answered) throw new Failed(`${who}: 200, but another phone of the callee answered`);
  // The ACK must reach the callee; without it the callee would have to end the call (§13.3.1.4).
  const acknowledged = await waitFor(
    () => (callee.acknowledged.has(dialog.callId) ? true : undefined),
    5000,
    stop,
  );
  if (!acknowledged) throw new Failed(`${who}: the ACK did not reach the callee`);
  const [hanging, own, other] =
    ends === "caller" ? ([caller, dialog, callee] as const) : ([callee, answered, caller] as const);
  await mustBe(hanging.hangUp(own), 200, `${who}, the ${ends} hangs up`);
  if (!other.hungUp.has(dialog.callId))
    throw new Failed(`${who}: BYE was answered, but did not reach the other phone`);
}

async function mustBe(answer: Promise<number>, expected: number, what: string): Promise<void> {
  const status = await answer;
  if (status !== expected) throw new Failed(`${what}: answered ${status}, expected ${expected}`);
}

function describe(message: SipRequest | SipResponse): string {
  if ("status" in message) return `${message.status} ${message.reason}`;
  const user = /^sip:([^@;]*)@/.exec(sip.stringifyUri(message.uri))?.[1];
  const hasCredentials = message.headers["authorization"] ?? message.headers["proxy-authorization"];
  return [message.method, user, hasCredentials && "(credentials)"].filter(Boolean).join(" ");
}
