/** Sends datagrams to itself in one turn of the event loop, and ends when all have arrived. Argument: how many. */
import { openUdp } from "../../../sip-node/src/adapters/udp/open-udp.ts";

const count = Number(process.argv[2]);
const buffer = 4 * 1024 * 1024;
const options = { host: "127.0.0.1", port: 0, reusePort: false, receiveBuffer: buffer, sendBuffer: buffer };
const socket = await openUdp(options, "batched", (error) => {
  throw error;
});
let received = 0;
socket.receiveText(() => {
  received += 1;
  if (received < count) return;
  console.log(`received ${received}`);
  void socket.close();
});
for (let i = 0; i < count; i++) socket.send(`datagram ${i}`, "127.0.0.1", socket.port);
