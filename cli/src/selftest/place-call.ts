/** Two phones on an independent SIP stack register; one calls the other and hangs up. Each step prints a line. */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freeUdpPort } from "../up/free-port.ts";
import { type PhoneLogin, ScriptedPhone } from "../up/scripted-phone.ts";
import { waitFor } from "../up/wait.ts";
import { CheckFailure } from "../up/check-failure.ts";

interface CallOptions {
  readonly exchange: { readonly host: string; readonly port: number };
  readonly caller: PhoneLogin;
  readonly callee: PhoneLogin;
  readonly print: (line: string) => void;
  /** Aborts the call. */
  readonly stop: AbortSignal;
}

/** The users' rows are new: the first REGISTER may come before they are in the database. */
const registerTimeoutMs = 10_000;
const expires = 120;

/** Throws `CheckFailure` with the failed step and the expected result, or the reason of `stop`. */
export async function placeCall(options: CallOptions): Promise<void> {
  const address = await localAddress(options.exchange);
  using caller = await openPhone(options, options.caller, address);
  using callee = await openPhone(options, options.callee, address);
  const { print } = options;
  for (const phone of [callee, caller]) await register(options, phone);
  try {
    await callAndHangUp(options, caller, callee);
  } finally {
    await Promise.all([caller, callee].map((phone) => phone.register(0)));
    print("both phones de-registered");
  }
}

async function openPhone(options: CallOptions, login: PhoneLogin, address: string): Promise<ScriptedPhone> {
  const { host, port } = options.exchange;
  const phone = { login, address, port: await freeUdpPort(address), onMessage: () => undefined };
  return new ScriptedPhone({ ...phone, exchange: { address: host, port } });
}

async function register({ print, stop }: CallOptions, phone: ScriptedPhone): Promise<void> {
  const { username, domain } = phone.options.login;
  const begin = performance.now();
  for (let attempt = 1; ; attempt++) {
    const status = await unlessStopped(phone.register(expires), stop);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    if (status === 200) return print(`${username}@${domain} registered: 200 after ${seconds} s`);
    if (performance.now() - begin > registerTimeoutMs)
      throw new CheckFailure(
        `REGISTER of ${username}@${domain}: answered ${status} in ${attempt} attempts, expected 200`,
      );
    await sleep(500, undefined, { signal: stop });
  }
}

async function callAndHangUp(
  { print, stop }: CallOptions,
  caller: ScriptedPhone,
  callee: ScriptedPhone,
): Promise<void> {
  const name = callee.options.login.username;
  const { status, provisional, dialog } = await unlessStopped(caller.call(name), stop);
  if (status !== 200 || dialog === undefined)
    throw new CheckFailure(`INVITE: answered ${status}, expected 200`);
  if (!provisional.includes(180)) throw new CheckFailure("INVITE: 200 without 180 Ringing before");
  print(`INVITE ${name}: ${[...provisional, status].join(", ")}`);
  const isAcknowledged = () => (callee.acknowledged.has(dialog.callId) ? true : undefined);
  if (!(await waitFor(isAcknowledged, 5_000, stop))) throw new CheckFailure("ACK: did not reach the callee");
  print("ACK: reached the callee");
  const bye = await unlessStopped(caller.hangUp(dialog), stop);
  if (bye !== 200) throw new CheckFailure(`BYE: answered ${bye}, expected 200`);
  if (!callee.hungUp.has(dialog.callId))
    throw new CheckFailure("BYE: answered 200, but it did not reach the callee");
  print("BYE: 200");
}

/**
 * This machine's source address for packets to the exchange. Nothing is sent. If it equals the exchange's address, another loopback
 * address is used: the package `sip` takes a next hop with its own address for a flow token.
 */
async function localAddress({ host, port }: CallOptions["exchange"]): Promise<string> {
  const found = await lookup(host, { family: 4 }).catch((error: unknown) => {
    throw new CheckFailure(`${host} has no IPv4 address: ${(error as Error).message}`);
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
  const rejectWithReason = () => reject(stop.reason as Error);
  stop.addEventListener("abort", rejectWithReason, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    stop.removeEventListener("abort", rejectWithReason);
  }
}
