/** A node has an outdated password in its copy: the right one is accepted at once, for REGISTER and for a call. */
import { expect, it } from "vitest";
import { locationDependencies } from "../../../test/support/location-dependencies.ts";
import { requestOf } from "../../../test/support/sip-message.ts";
import { TestServices, withCredentials } from "../../../test/support/test-services.ts";
import { Location } from "../location/location.ts";
import { route } from "../proxy/proxy.ts";
import { flowOf } from "../wire/flow.ts";
import { register } from "./register.ts";

const uri = "sip:example.com";
const flow = flowOf("192.0.2.1", 5060);
const bob = { From: "<sip:bob@example.com>;tag=1", To: "<sip:bob@example.com>", "Call-ID": "1" };

it.each([
  ["REGISTER", 401, 200],
  ["INVITE", 407, 480],
] as const)("%s", async (method, challenged, accepted) => {
  const services = new TestServices();
  services.store.addDomain("example.com");
  services.store.addUser("bob", "example.com", { password: "old" });
  const resolve = services.store.resolve.bind(services.store);
  let reads = 0;
  services.store.resolve = (names) => ((reads += 1), resolve(names));
  const location = new Location(services.store, locationDependencies());
  location.advance(performance.now());
  await new Promise((done) => setImmediate(done));
  const node = { ...services.dependencies(), lookup: location };
  const request = method === "REGISTER" ? uri : "sip:bob@example.com";
  const send = async (password: string) => {
    services.now += 1;
    const fields = { ...bob, Contact: "<sip:bob@192.0.2.1>" };
    const act = method === "REGISTER" ? register : route;
    const challenge = await act(requestOf(method, request, fields), flow, node);
    if (challenge.kind !== "reject") throw new Error("not challenged");
    expect(challenge.status).toBe(challenged);
    reads = 0;
    const answer = await act(
      withCredentials(method, request, fields, challenge, "bob", password),
      flow,
      node,
    );
    return "status" in answer ? answer.status : answer.kind;
  };
  expect([await send("old"), reads]).toEqual([accepted, 0]);
  services.store.addUser("bob", "example.com", { password: "new" });
  expect([await send("new"), reads]).toEqual([accepted, 1]);
  expect([await send("wrong"), reads]).toEqual([challenged, 1]);
});
