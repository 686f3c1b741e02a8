/**
 * Sends hostile datagrams to an exchange from several loopback addresses at a rate, and reads the answers. Arguments: address, port, datagrams
 * per second, seconds, domain. It prints how many it sent and received, as JSON.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { hostileDatagram, hostileKinds } from "./hostile-datagrams.ts";
import { seededRandom } from "./seeded-random.ts";

const [address = "", port = "", rate = "", seconds = "", domain = ""] = process.argv.slice(2);
const random = seededRandom("hostile flood");
/** Made before, so that the sender does not take the time of the nodes. */
const datagrams = Array.from({ length: 20_000 }, (_, i) =>
  Buffer.from(hostileDatagram(hostileKinds[i % hostileKinds.length]!, random, domain), "latin1"),
);
let [sent, received, receivedBytes, sentBytes] = [0, 0, 0, 0];

/** 127.0.0.11 to 127.0.0.15, each with 8 ports. */
const sockets = await Promise.all(
  Array.from({ length: 40 }, async (_, i) => {
    const socket = createSocket("udp4");
    socket.on("message", (bytes) => {
      received += 1;
      receivedBytes += bytes.length;
    });
    socket.on("error", () => {});
    socket.bind(0, `127.0.0.${11 + (i % 5)}`);
    await once(socket, "listening");
    return socket;
  }),
);

const began = performance.now();
const timer = setInterval(() => {
  const passed = (performance.now() - began) / 1000;
  if (passed > Number(seconds)) return end();
  const due = Math.min(passed * Number(rate), sent + 500);
  while (sent < due) {
    const bytes = datagrams[sent % datagrams.length]!;
    sockets[sent % sockets.length]!.send(bytes, Number(port), address);
    sent += 1;
    sentBytes += bytes.length;
  }
}, 5);

function end(): void {
  clearInterval(timer);
  setTimeout(() => {
    for (const socket of sockets) socket.close();
    process.stdout.write(JSON.stringify({ sent, sentBytes, received, receivedBytes, seed: random.seed }));
  }, 1_000);
}
