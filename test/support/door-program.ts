/** `node door-program.ts SOCKET PORT`, in a network namespace: whoever connects to the file SOCKET talks to 127.0.0.1:PORT of that namespace. */
import { connect, createServer } from "node:net";

const [path = "", port = ""] = process.argv.slice(2);

createServer((client) => {
  const server = connect({ host: "127.0.0.1", port: Number(port) });
  client.on("error", () => server.destroy()).pipe(server);
  server.on("error", () => client.destroy()).pipe(client);
}).listen(path);
