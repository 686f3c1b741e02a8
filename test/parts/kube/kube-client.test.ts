/** The client on a real API server: one connection, deadlines, refused requests, server-side apply. A proxy in between makes the faults. */
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ApiRefused,
  ApiUnreachable,
  isAbsence,
  isConflict,
} from "../../../operator/src/adapters/kube/api-error.ts";
import { NotLeader } from "../../../operator/src/adapters/kube/api-requests.ts";
import { KubeClient } from "../../../operator/src/adapters/kube/kube-client.ts";
import type { KubeConnection } from "../../../operator/src/adapters/kube/kube-connection.ts";
import { resourceTypes } from "../../../operator/src/adapters/kube/resource-type.ts";
import type { ApiServer } from "../../support/kubernetes/api-server.ts";
import { startRelayedApiServer, type RelayedApiServer } from "./relayed-api-server.ts";
import type { TcpProxy } from "./tcp-proxy.ts";

const { ConfigMap, Namespace, SipUser, Pod } = resourceTypes;
const manager = { fieldManager: "test" };

describe("kube client", () => {
  let relayed: RelayedApiServer;
  let server: ApiServer;
  let proxy: TcpProxy;

  beforeAll(async () => {
    relayed = await startRelayedApiServer();
    ({ server, proxy } = relayed);
  });

  afterAll(() => relayed?.[Symbol.asyncDispose]());

  const connect = (): KubeConnection => relayed.connect();
  const create = (client: KubeClient, name: string, data: Record<string, string> = {}) =>
    client.create<{ metadata: { uid: string; resourceVersion: string } }>(
      ConfigMap,
      { metadata: { namespace: "default", name }, data } as never,
      manager,
    );

  it("300 requests, 20 concurrent ones beside watches, use one connection", async () => {
    const client = new KubeClient(connect());
    const before = proxy.accepted;
    for (let count = 0; count < 300; count += 1) await client.get(Namespace, { name: "default" });
    expect(proxy.accepted - before).toBe(1);
    const stop = new AbortController();
    let opened = 0;
    const watches = Array.from({ length: 12 }, () =>
      client
        .watch(
          ConfigMap,
          undefined,
          { from: "", timeoutSeconds: 60 },
          { opened: () => (opened += 1), on: () => undefined },
          stop.signal,
        )
        .catch(() => undefined),
    );
    while (opened < 12) await client.get(Namespace, { name: "default" });
    await Promise.all(Array.from({ length: 20 }, () => client.get(Namespace, { name: "default" })));
    expect(proxy.accepted - before).toBe(1);
    stop.abort();
    await Promise.all(watches);
  });

  it("after a renewal of the certificate on disk a new connection is opened", async () => {
    const client = new KubeClient(connect());
    const before = proxy.accepted;
    await client.get(Namespace, { name: "default" });
    const authority =
      /"certificate-authority": "([^"]+)"/.exec(await readFile(server.kubeconfig, "utf8"))?.[1] ?? "";
    const bundle = await readFile(authority, "utf8");
    await writeFile(authority, `${bundle}\n${bundle}`);
    await client.get(Namespace, { name: "default" });
    await client.get(Namespace, { name: "default" });
    await writeFile(authority, bundle);
    expect(proxy.accepted - before).toBe(2);
  });

  it("a request without an answer fails at its deadline, and the next request uses another connection", async () => {
    const client = new KubeClient(connect(), { requestTimeoutMs: 500 });
    await client.get(Namespace, { name: "default" });
    proxy.stall();
    await expect(client.get(Namespace, { name: "default" })).rejects.toThrow(
      "GET Namespace default: no answer within 500 ms",
    );
    proxy.resumeNewConnections();
    await client.get(Namespace, { name: "default" });
    proxy.resume();
  });

  it("a refused connection is an error with the reason", async () => {
    const client = new KubeClient(connect());
    proxy.refuse();
    const error: unknown = await client.get(Namespace, { name: "default" }).catch((cause: unknown) => cause);
    proxy.resume();
    expect(error).toBeInstanceOf(ApiUnreachable);
    await client.get(Namespace, { name: "default" });
  });

  it("distinguishes a missing object from a path that is not served", async () => {
    const client = new KubeClient(connect());
    const failure = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => undefined,
        (error: unknown) => error,
      );
    const gone = await failure(client.get(ConfigMap, { namespace: "default", name: "nobody" }));
    const elsewhere = await failure(
      client.get(ConfigMap, { namespace: "no-such-namespace", name: "nobody" }),
    );
    const unserved = await failure(client.get(SipUser, { namespace: "default", name: "nobody" }));
    expect(isAbsence(gone, ConfigMap, "nobody")).toBe(true);
    expect(isAbsence(elsewhere, ConfigMap, "nobody")).toBe(true);
    expect((unserved as ApiRefused).status).toBe(404);
    expect(isAbsence(unserved, SipUser, "nobody")).toBe(false);
  });

  it("keeps unknown fields", async () => {
    const client = new KubeClient(connect());
    await client.create(
      ConfigMap,
      {
        metadata: { namespace: "default", name: "plain", annotations: { "x-kubernetes-odd": "kept" } },
        data: { "x-kubernetes-too": "kept" },
      } as never,
      manager,
    );
    const read = await client.get<{ data: unknown; metadata: { creationTimestamp: unknown } }>(ConfigMap, {
      namespace: "default",
      name: "plain",
    });
    expect(read.data).toEqual({ "x-kubernetes-too": "kept" });
    expect(typeof read.metadata.creationTimestamp).toBe("string");
  });

  it("applies beside another field manager, and deletes only the object with the uid", async () => {
    const client = new KubeClient(connect());
    const apply = (fieldManager: string, data: Record<string, string>) =>
      client.apply<{ data: unknown; metadata: { uid: string } }>(
        ConfigMap,
        { metadata: { namespace: "default", name: "shared" }, data } as never,
        { fieldManager },
      );
    await apply("one", { a: "1", b: "1" });
    await apply("two", { c: "2" });
    const { data, metadata } = await apply("one", { a: "3" });
    expect(data).toEqual({ a: "3", c: "2" });
    const place = { namespace: "default", name: "shared" };
    const wrong = await client
      .delete(ConfigMap, place, { uid: "11111111-2222-3333-4444-555555555555" })
      .catch((e: unknown) => e);
    expect(isConflict(wrong)).toBe(true);
    await client.delete(ConfigMap, place, { uid: metadata.uid });
    const gone: unknown = await client.get(ConfigMap, place).catch((cause: unknown) => cause);
    expect(isAbsence(gone, ConfigMap, "shared")).toBe(true);
  });

  it("lists in pages, and only the metadata on request", async () => {
    const client = new KubeClient(connect());
    for (const name of ["page-a", "page-b", "page-c"]) await create(client, name, { secret: "value" });
    const first = await client.list(ConfigMap, "default", { limit: 2 });
    expect(first.items).toHaveLength(2);
    const rest = await client.list(ConfigMap, "default", { limit: 500, continue: first.continue ?? "" });
    expect(rest.resourceVersion).toBe(first.resourceVersion);
    const bare = await client.list(ConfigMap, "default", { isMetadataOnly: true });
    expect(JSON.stringify(bare.items)).toContain("page-a");
    expect(JSON.stringify(bare.items)).not.toContain("value");
  });

  it("a client without leadership can read but not write; each attempt is counted", async () => {
    const connection = connect();
    const codes: string[] = [];
    const client = new KubeClient(connection, {
      mayWrite: () => false,
      observer: { requested: ({ method, code }) => codes.push(`${method} ${code}`) },
    });
    await client.get(Namespace, { name: "default" });
    await expect(create(client, "forbidden")).rejects.toBeInstanceOf(NotLeader);
    await expect(client.get(Pod, { namespace: "default", name: "none" })).rejects.toBeInstanceOf(ApiRefused);
    expect(codes).toEqual(["GET 200", "GET 404"]);
  });
});
