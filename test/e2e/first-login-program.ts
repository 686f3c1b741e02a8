/**
 * `node first-login-program.ts HOST PORT ADDRESS DOMAIN`, on the phones' host. For each line `username password` on standard input a phone
 * tries to register until it gets 200. Then the program prints a line `username milliseconds-since-1970` with that time.
 */
import { createInterface } from "node:readline";
import { Phone } from "../support/phone.ts";
import { status } from "../support/sip-text.ts";

const [host = "", port = "", address = "", domain = ""] = process.argv.slice(2);
const exchange = { address: host, port: Number(port) };

for await (const line of createInterface(process.stdin)) {
  const [username = "", password = ""] = line.split(" ");
  using phone = await Phone.open({ login: { username, domain, password }, exchange, address });
  while (status(await phone.register(60)) !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  process.stdout.write(`${username} ${Date.now()}\n`);
}
process.exit(0);
