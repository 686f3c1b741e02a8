/** Two phones on an independent SIP stack register and call each other, as people would; each step is told. */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freeUdpPort } from "../up/free-port.ts";
import { type PhoneLogin, ScriptedPhone } from "../up/scripted-phone.ts";
import { waitFor } from "../up/wait.ts";
import { Failure } from "./failure.ts";

export interface CallPlan {
  readonly exchange: { readonly host: string; readonly port: number };
  readonly caller: PhoneLogin;
  readonly callee: PhoneLogin;
  readonly say: (line: string) => void;
  /** Raised: the call is given up. */
  readonly stop: AbortSignal;
}

/** Rows are new, and a node may have just said that it does not know them. */
const loginPatienceMs = 10_000;
const lifetime = 120;

/** Throws `Failure` with what was expected of which step, or the reason of `stop`. */
export async function placeCall(plan: CallPlan): Promise<void> {
  const address = await localAddress(plan.exchange);
  using caller = await openPhone(plan, plan.caller, address);
  using callee = await openPhone(plan, plan.callee, address);
  const { say } = plan;
  for (const phone of [callee, caller]) await logIn(plan, phone);
  try {
    await call(plan, caller, callee);
  } finally {
    await Promise.all([caller, callee].map((phone) => phone.register(0)));
    say("both phones de-registered");
  }
}

async function openPhone(plan: CallPlan, login: PhoneLogin, address: string): Promise<ScriptedPhone> {
  const { host, port } = plan.exchange;
  const phone = { login, address, port: await freeUdpPort(address), heard: () => undefined };
  return new ScriptedPhone({ ...phone, exchange: { address: host, port } });
}

async function logIn({ say, stop }: CallPlan, phone: ScriptedPhone): Promise<void> {
  const { username, domain } = phone.plan.login;
  const begin = performance.now();
  for (let attempt = 1; ; attempt++) {
    const status = await unlessStopped(phone.register(lifetime), stop);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    if (status === 200) return say(`${username}@${domain} registered: 200 after ${seconds} s`);
    if (performance.now() - begin > loginPatienceMs)
      throw new Failure(
        `REGISTER of ${username}@${domain}: answered ${status} in ${attempt} attempts, expected 200`,
      );
    await sleep(500, undefined, { signal: stop });
  }
}

async function call({ say, stop }: CallPlan, caller: ScriptedPhone, callee: ScriptedPhone): Promise<void> {
  const name = callee.plan.login.username;
  const { status, provisional, dialog } = await unlessStopped(caller.call(name), stop);
  if (status !== 200 || dialog === undefined) throw new Failure(`INVITE: answered ${status}, expected 200`);
  if (!provisional.includes(180)) throw new Failure("INVITE: 200 without 180 Ringing before");
  say(`INVITE ${name}: ${[...provisional, status].join(", ")}`);
  const came = () => (callee.acknowledged.has(dialog.callId) ? true : undefined);
  if (!(await waitFor(came, 5_000, stop))) throw new Failure("ACK: it did not reach the callee");
  say("ACK: reached the callee");
  const bye = await unlessStopped(caller.hangUp(dialog), stop);
  if (bye !== 200) throw new Failure(`BYE: answered ${bye}, expected 200`);
  if (!callee.hungUp.has(dialog.callId))
    throw new Failure("BYE: answered 200, but it did not reach the callee");
  say("BYE: 200");
}

/**
 * The address of this machine from which the exchange is reached. Nothing is sent. Where that is the exchange's own, another one of
 * loopback: the package `sip` takes a next hop at its own address for something else.
 */
async function localAddress({ host, port }: CallPlan["exchange"]): Promise<string> {
  const found = await lookup(host, { family: 4 }).catch((error: unknown) => {
    throw new Failure(`${host} has no IPv4 address: ${(error as Error).message}`);
  });
  const socket = createSocket("udp4");
  try {
    socket.connect(port, found.address);
    await once(socket, "connect");
    const { address } = socket.address();
    return address === found.address ? "127.0.0.11" : address;
  } finally {
    socket.close();
  }
}

async function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  stop.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(stop.reason as Error);
  stop.addEventListener("abort", give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    stop.removeEventListener("abort", give);
  }
}
