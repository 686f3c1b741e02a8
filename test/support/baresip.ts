/**
 * baresip 1.0 without screen or sound card, controlled through its ctrl_tcp module (netstrings of JSON). It plays a sine tone and records
 * the received audio, so that a test can check that audio arrived and who sent it.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort, freeUdpPort } from "../../cli/src/up/free-port.ts";
import { startChild, type TestChild } from "./child.ts";
import type { Endpoint, PhoneLogin } from "./phone.ts";

export interface BaresipEvent {
  readonly type: string;
  readonly param?: string;
  readonly peeruri?: string;
}

export interface BaresipPlan {
  readonly login: PhoneLogin;
  readonly exchange: Endpoint;
  /** The frequency of its tone, in Hz. */
  readonly toneHz: number;
  readonly firstRtpPort: number;
  /** The host on which it runs; default: this network namespace, with the address 127.0.0.1. */
  readonly host?: { readonly namespace?: string; readonly address: string };
  /** Default: a free port. */
  readonly sipPort?: number;
}

export class Baresip implements AsyncDisposable {
  readonly events: BaresipEvent[] = [];
  readonly plan: BaresipPlan;
  readonly #child: TestChild;
  readonly #socketRelay: TestChild | undefined;
  readonly #folder: string;
  readonly #control: Socket;
  /** Its answers to commands, the newest last. */
  readonly #answers: string[] = [];
  #received = "";

  private constructor(
    plan: BaresipPlan,
    child: TestChild,
    folder: string,
    control: Socket,
    socketRelay?: TestChild,
  ) {
    this.plan = plan;
    this.#child = child;
    this.#socketRelay = socketRelay;
    this.#folder = folder;
    this.#control = control;
    control.on("data", (chunk) => this.#read(chunk.toString()));
  }

  /** Starts it; it registers by itself. */
  static async start(plan: BaresipPlan): Promise<Baresip> {
    const folder = await mkdtemp(join(tmpdir(), "strowger-baresip-"));
    await mkdir(join(folder, "recordings"));
    const sipPort = plan.sipPort ?? (await freeUdpPort("127.0.0.1"));
    const controlPort = await freeTcpPort("127.0.0.1", 0);
    await writeFile(join(folder, "config"), configuration(plan, folder, sipPort, controlPort));
    await writeFile(join(folder, "accounts"), account(plan));
    await writeFile(join(folder, "contacts"), "");
    const namespace = plan.host?.namespace;
    const place = namespace === undefined ? {} : { namespace };
    const child = startChild("baresip", ["-f", folder, "-4", "-s"], { cwd: folder, ...place });
    const path = join(folder, "control");
    const program = join(import.meta.dirname, "socket-relay-program.ts");
    const socketRelay =
      namespace && startChild(process.execPath, [program, path, String(controlPort)], place);
    try {
      const control = await reach(socketRelay ? { path } : { host: "127.0.0.1", port: controlPort }, child);
      return new Baresip(plan, child, folder, control, socketRelay || undefined);
    } catch (error) {
      await child.end("SIGKILL");
      if (socketRelay) await socketRelay.end("SIGKILL");
      throw error;
    }
  }

  /**
   * Resolves with true when it is registered, with false when the exchange refused. It registers as it starts, before anybody can listen
   * to its events, so it is asked.
   */
  async isRegistered(timeoutMs = 10_000): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      this.command("reginfo");
      await new Promise((resolve) => setTimeout(resolve, 100));
      const answer = this.#answers.at(-1) ?? "";
      if (/\x1b\[32mOK/.test(answer)) return true;
      if (/\x1b\[31mERR/.test(answer)) return false;
    }
    throw new Error(
      `baresip ${this.plan.login.username} got no answer to REGISTER:\n${this.#child.output().slice(-2500)}`,
    );
  }

  command(name: string, params = ""): void {
    this.#control.write(netstring(name, params));
  }

  /** Resolves with the first event of that type, before or after; rejects with all events and the end of the SIP trace. */
  async waitFor(type: string, timeoutMs = 10_000): Promise<BaresipEvent> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.events.find((event) => event.type === type);
      if (found) return found;
      if (Date.now() > deadline) {
        const seen = this.events.map((event) => `${event.type} ${event.param ?? ""}`).join("; ");
        throw new Error(
          `baresip ${this.plan.login.username} saw no ${type}; events: ${seen}\n${this.#child.output().slice(-2500)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The received audio of its calls. It is complete when the call is over, or after `[Symbol.asyncDispose]`. */
  async recording(): Promise<{ readonly samples: Int16Array; readonly rate: number }> {
    const files = (await readdir(join(this.#folder, "recordings")))
      .filter((name) => name.endsWith("dec.wav"))
      .sort();
    const last = files.at(-1);
    if (last === undefined) throw new Error(`baresip ${this.plan.login.username} recorded nothing`);
    return readWav(await readFile(join(this.#folder, "recordings", last)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#control.destroy();
    await this.#child.end("SIGINT");
    await this.#socketRelay?.end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #read(chunk: string): void {
    this.#received += chunk;
    for (;;) {
      const length = /^(\d+):/.exec(this.#received);
      if (length === null) return;
      const [start, size] = [length[0].length, Number(length[1])];
      if (this.#received.length < start + size + 1) return;
      const message = JSON.parse(this.#received.slice(start, start + size)) as BaresipEvent & {
        event?: boolean;
        data?: string;
      };
      this.#received = this.#received.slice(start + size + 1);
      if (message.event) this.events.push(message);
      else this.#answers.push(message.data ?? "");
    }
  }
}

function account({ login, exchange }: BaresipPlan): string {
  const proxy = `"sip:${exchange.address}:${exchange.port};transport=udp"`;
  const parameters = [
    `auth_user=${login.username}`,
    `auth_pass=${login.password}`,
    `outbound=${proxy}`,
    "regint=300",
    "answermode=manual",
  ];
  return `<sip:${login.username}@${login.domain};transport=udp>;${parameters.join(";")};audio_codecs=PCMU/8000/1\n`;
}

function configuration(plan: BaresipPlan, folder: string, sipPort: number, controlPort: number): string {
  const modules = ["g711", "ausine", "aubridge", "sndfile"].map((name) => `module ${name}.so`);
  const applications = ["auloop", "contact", "menu", "ctrl_tcp"].map((name) => `module_app ${name}.so`);
  return [
    `sip_listen ${plan.host?.address ?? "127.0.0.1"}:${sipPort}`,
    `rtp_ports ${plan.firstRtpPort}-${plan.firstRtpPort + 10}`,
    "module_path /usr/lib/baresip/modules",
    ...modules,
    "module_tmp uuid.so",
    "module_tmp account.so",
    ...applications,
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    `audio_source ausine,${plan.toneHz}`,
    `audio_player aubridge,${plan.login.username}`,
    `audio_alert aubridge,${plan.login.username}-bell`,
    ...["ausrc_srate 48000", "auplay_srate 48000", "ausrc_channels 2", "auplay_channels 2"],
    `snd_path ${join(folder, "recordings")}`,
    "",
  ].join("\n");
}

function netstring(command: string, params = ""): string {
  const json = JSON.stringify({ command, params, token: command });
  return `${Buffer.byteLength(json)}:${json},`;
}

async function reach(place: NetConnectOpts, child: TestChild): Promise<Socket> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && child.process.exitCode === null) {
    const socket = await new Promise<Socket | undefined>((resolve) => {
      const attempt = connect(place);
      // Through the relay a connection may succeed before baresip listens, and is closed then. So an answer is awaited.
      attempt.once("data", () => resolve(attempt)).once("connect", () => attempt.write(netstring("reginfo")));
      attempt.once("error", () => resolve(undefined)).once("close", () => resolve(undefined));
    });
    if (socket) return socket;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`baresip did not open its control port:\n${child.output().slice(-2000)}`);
}

/** 16-bit PCM; one channel is kept. While baresip runs the sizes in the header are 0, so the data is what follows the `data` mark. */
function readWav(file: Buffer): { samples: Int16Array; rate: number } {
  const [format, data] = [file.indexOf("fmt "), file.indexOf("data")];
  const [channels, rate] = [file.readUInt16LE(format + 10), file.readUInt32LE(format + 12)];
  const count = Math.floor((file.length - data - 8) / 2 / channels);
  return {
    rate,
    samples: Int16Array.from({ length: count }, (_, index) =>
      file.readInt16LE(data + 8 + index * 2 * channels),
    ),
  };
}
