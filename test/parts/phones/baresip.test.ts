/** Two real softphones without screen and sound card: they log in, call, and receive each other's audio. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Baresip } from "../../support/baresip.ts";
import { TestCluster, passwordOf } from "../../support/test-cluster.ts";
import { describeWith } from "../../support/needs.ts";
import { shareOfTone } from "../../support/tone.ts";

const domain = "parts.example";
const [toneOfAlice, toneOfBob] = [440, 1000];

describeWith(["mariadb", "baresip"], "baresip", () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ front: "shared port", nodes: 2 });
    await cluster.insertUsers(domain, ["alice", "bob"]);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test("two phones register, one calls the other, and each receives the other's tone", async () => {
    await using alice = await start("alice", toneOfAlice, 21_000);
    await using bob = await start("bob", toneOfBob, 21_100);
    expect(await alice.isRegistered()).toBe(true);
    expect(await bob.isRegistered()).toBe(true);
    alice.command("dial", `sip:bob@${domain}`);
    await bob.waitFor("CALL_INCOMING");
    bob.command("accept");
    await alice.waitFor("CALL_ESTABLISHED");
    await seconds(3);
    alice.command("hangup");
    await bob.waitFor("CALL_CLOSED");
    await seconds(0.3);
    const [atAlice, atBob] = [await alice.recording(), await bob.recording()];
    const shares = {
      bobAtAlice: shareOfTone(atAlice, toneOfBob),
      aliceAtBob: shareOfTone(atBob, toneOfAlice),
    };
    console.log("share of the other's tone:", shares, "REGISTERs:", await cluster.requests("REGISTER"));
    expect(atAlice.samples.length / atAlice.rate, "seconds recorded").toBeGreaterThan(2);
    expect(shares.bobAtAlice).toBeGreaterThan(0.8);
    expect(shares.aliceAtBob).toBeGreaterThan(0.8);
    expect(shareOfTone(atAlice, toneOfAlice), "no phone receives its own tone").toBeLessThan(0.1);
  });

  test("a wrong password is refused", async () => {
    await using alice = await start("alice", toneOfAlice, 21_200, "wrong");
    expect(await alice.isRegistered()).toBe(false);
  });

  const start = (username: string, toneHz: number, firstRtpPort: number, password = passwordOf(username)) =>
    Baresip.start({ login: { username, domain, password }, exchange: cluster.front, toneHz, firstRtpPort });
});

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
