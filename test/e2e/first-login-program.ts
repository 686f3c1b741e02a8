/**
 * `node first-login-program.ts HOST PORT ADDRESS DOMAIN`, on the phones' host: for each line `username password` on standard input a phone
 * registers again and again until it is let in, and a line `username milliseconds-since-1970` says when that was.
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
