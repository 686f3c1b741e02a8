/**
 * The datagrams that phones send to a node, recorded once and replayed many times. A node with the same keys and the same clock answers each
 * replay with the same bytes, so a replay costs nothing but the work of the node.
 *
 *   registrations of all phones │ exchanges, in groups: step 1 of each exchange, step 2 of each ...     one group for each tick of 20 ms
 */
import type { Flow } from "../../../sip-node/src/wire/flow.ts";
import { CoreNode } from "./core-node.ts";
import { type Exchange, type ScriptedPhone, type Step, stepsOf, type Work } from "./phone-scripts.ts";

export interface RecordingPlan {
  readonly work: Work;
  readonly exchanges: number;
  /** How many begin in one second of the node's clock. */
  readonly rate: number;
  readonly phones: number;
}

/** One step of one group: datagrams that arrive in one turn of the event loop. Offsets are in `bytes` of the recording. */
interface Turn {
  readonly starts: Uint32Array;
  readonly phones: Uint32Array;
  readonly end: number;
  /** How many exchanges began before it. */
  readonly begun: number;
  /** The clock moves by one tick after it. */
  readonly endsGroup: boolean;
}

export interface Recording {
  readonly plan: RecordingPlan;
  readonly phones: readonly ScriptedPhone[];
  readonly bytes: Buffer;
  readonly turns: readonly Turn[];
  /** Datagrams and bytes that the node sent. A replay must send as many. */
  readonly sent: { readonly datagrams: number; readonly bytes: number };
}

const tick = 20;

export async function record(plan: RecordingPlan): Promise<Recording> {
  const recorder = new Recorder(plan);
  const groupSize = Math.max(1, Math.round((plan.rate * tick) / 1000));
  const { phones } = recorder;
  const registrations = phones.map((phone, i) => ({ number: i, caller: phone, callee: phone }));
  for (let i = 0; i < phones.length; i += groupSize)
    await recorder.run(registrations.slice(i, i + groupSize), stepsOf("register"), 0);
  for (let begun = 0; begun < plan.exchanges; begun += groupSize) {
    const group = Array.from({ length: Math.min(groupSize, plan.exchanges - begun) }, (_, i): Exchange => {
      const number = begun + i;
      const phone = (at: number) => phones[at % phones.length] as ScriptedPhone;
      return { number: phones.length + number, caller: phone(number * 2), callee: phone(number * 2 + 1) };
    });
    await recorder.run(group, stepsOf(plan.work), begun + group.length);
  }
  return recorder.finish();
}

class Recorder {
  readonly phones: readonly ScriptedPhone[];
  private readonly plan: RecordingPlan;
  private readonly core: CoreNode;
  private readonly byFlow: ReadonlyMap<string, number>;
  private readonly chunks: Buffer[] = [];
  private readonly turns: Turn[] = [];
  private readonly sent = { datagrams: 0, bytes: 0 };
  private length = 0;

  constructor(plan: RecordingPlan) {
    this.plan = plan;
    this.phones = Array.from({ length: plan.phones }, (_, i) => ({
      user: `user${10_000 + i}`,
      address: `198.18.${i >> 8}.${i & 255}`,
      port: 5060 + (i % 7),
      request: "",
      response: "",
    }));
    this.byFlow = new Map(this.phones.map(({ address, port }, i) => [`${address}:${port}`, i]));
    const send = (text: string, flow: Flow) => this.deliver(text, flow);
    this.core = new CoreNode({
      isTrusting: plan.work === "trusted",
      users: this.phones.map(({ user }) => user),
      send,
    });
  }

  async run(group: readonly Exchange[], steps: readonly Step[], begun: number): Promise<void> {
    for (const [i, step] of steps.entries()) await this.turn(group, step, begun, i === steps.length - 1);
    this.core.advance(this.core.now + tick);
    if (this.core.errors.length > 0)
      throw new Error("the node reported an error", { cause: this.core.errors[0] });
  }

  finish(): Recording {
    const { plan, phones, turns, sent } = this;
    return { plan, phones, turns, sent, bytes: Buffer.concat(this.chunks) };
  }

  private async turn(
    group: readonly Exchange[],
    step: Step,
    begun: number,
    endsGroup: boolean,
  ): Promise<void> {
    const starts: number[] = [];
    const senders: number[] = [];
    const datagrams = group.map(step);
    for (const { from, text } of datagrams) {
      const bytes = Buffer.from(text, "latin1");
      starts.push(this.length);
      senders.push(this.byFlow.get(`${from.address}:${from.port}`) ?? 0);
      this.chunks.push(bytes);
      this.length += bytes.length;
      this.core.receive(text, from.address, from.port);
    }
    await settled();
    const [places, phones] = [Uint32Array.from(starts), Uint32Array.from(senders)];
    this.turns.push({ starts: places, phones, end: this.length, begun, endsGroup });
  }

  private deliver(text: string, { address, port }: Flow): void {
    this.sent.datagrams += 1;
    this.sent.bytes += text.length;
    const phone = this.phones[this.byFlow.get(`${address}:${port}`) ?? -1];
    if (phone === undefined) throw new Error(`a datagram to ${address}:${port}, which is no phone`);
    if (!text.startsWith("SIP/2.0 ")) phone.request = text;
    else if (!text.startsWith("SIP/2.0 100")) phone.response = text;
  }
}

/** Replays all datagrams to a new node. `onProgress` is called at each tick with the number of exchanges that have ended. Throws when the node does not send what it sent while it was recorded. */
export async function replay(
  recording: Recording,
  onProgress: (count: number, core: CoreNode) => void,
): Promise<CoreNode> {
  const { bytes, phones, turns, plan } = recording;
  const sent = { datagrams: 0, bytes: 0 };
  const socket = Buffer.alloc(65_536);
  const core = new CoreNode({
    isTrusting: plan.work === "trusted",
    users: phones.map(({ user }) => user),
    send: (one) => {
      sent.datagrams += 1;
      sent.bytes += socket.write(one, "latin1"); // a socket copies it too
    },
  });
  for (const { starts, phones: senders, end, begun, endsGroup } of turns) {
    for (let i = 0; i < starts.length; i++) {
      const { address, port } = phones[senders[i] ?? 0] as ScriptedPhone;
      core.receive(bytes.toString("latin1", starts[i], starts[i + 1] ?? end), address, port);
    }
    await settled();
    if (!endsGroup) continue;
    core.advance(core.now + tick);
    onProgress(begun, core);
  }
  if (sent.datagrams !== recording.sent.datagrams || sent.bytes !== recording.sent.bytes)
    throw new Error(
      `the replay sent ${JSON.stringify(sent)}, the recording ${JSON.stringify(recording.sent)}`,
    );
  return core;
}

/** Resolves when no promise of this turn is open. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));
