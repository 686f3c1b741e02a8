/** `node socket-relay-program.ts SOCKET PORT`, in a network namespace: relays connections to the Unix socket SOCKET to 127.0.0.1:PORT of the namespace. */
import { connect, createServer } from "node:net";

const [path = "", port = ""] = process.argv.slice(2);

createServer((client) => {
  const server = connect({ host: "127.0.0.1", port: Number(port) });
  client.on("error", () => server.destroy()).pipe(server);
  server.on("error", () => client.destroy()).pipe(client);
}).listen(path);
