/** Lets a Node.js process that was started with `--inspect=127.0.0.1:0` collect all garbage, by its debugger's protocol. */

/** `output`: what the process has written until now. */
export async function collectGarbage(output: string): Promise<void> {
  const url = /Debugger listening on (ws:\S+)/.exec(output)?.[1];
  if (url === undefined) throw new Error(`no debugger:\n${output.slice(-2000)}`);
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`no connection to ${url}`)));
  });
  // Twice: finalizers of the first collection free memory outside the heap.
  for (const id of [1, 2]) {
    const answered = new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
    socket.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
    await answered;
  }
  socket.close();
}
