/** A call between two baresip phones, with a check of the received audio. */
import { Baresip } from "../support/baresip.ts";
import type { Endpoint, PhoneLogin } from "../support/phone.ts";
import { shareOfTone } from "../support/tone.ts";
import type { PhonesHost } from "./end-to-end-cluster.ts";

interface AudioCallPlan {
  readonly host: PhonesHost;
  readonly exchange: Endpoint;
  readonly caller: { readonly login: PhoneLogin; readonly sipPort: number };
  readonly callee: { readonly login: PhoneLogin; readonly sipPort: number };
}

const toneHz = { caller: 440, callee: 1000 };

/** Registers both, calls, waits two seconds and hangs up. Returns the share of the other's tone in the audio of each, from 0 to 1. */
export async function placeAudioCall(plan: AudioCallPlan): Promise<{ caller: number; callee: number }> {
  const { host, exchange } = plan;
  const start = (side: "caller" | "callee", firstRtpPort: number) =>
    Baresip.start({ ...plan[side], host, exchange, toneHz: toneHz[side], firstRtpPort });
  await using caller = await start("caller", 41_000);
  await using callee = await start("callee", 41_100);
  for (const phone of [caller, callee])
    if (!(await phone.isRegistered(30_000))) throw new Error(`${phone.plan.login.username} was refused`);
  const { username, domain } = plan.callee.login;
  caller.command("dial", `sip:${username}@${domain}`);
  await callee.waitFor("CALL_INCOMING");
  callee.command("accept");
  await caller.waitFor("CALL_ESTABLISHED");
  await callee.waitFor("CALL_ESTABLISHED");
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  caller.command("hangup");
  await callee.waitFor("CALL_CLOSED");
  await new Promise((resolve) => setTimeout(resolve, 300)); // baresip writes the rest of the recording
  return {
    caller: shareOfTone(await caller.recording(), toneHz.callee),
    callee: shareOfTone(await callee.recording(), toneHz.caller),
  };
}
