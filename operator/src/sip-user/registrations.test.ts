/** The two loops of figures on a virtual clock; the SQL beneath them runs in test/parts/operator/kinds.test.ts. */
import { expect, test } from "vitest";
import type { Installation } from "../adapters/mysql/installation.ts";
import type { KubernetesObject } from "../runtime/object.ts";
import type { Source } from "../runtime/source.ts";
import { VirtualClock } from "../../../test/support/operator/virtual-clock.ts";
import { RegistrationFigures } from "./registrations.ts";

const metadata = (name: string) => ({ namespace: "voice", name, uid: name, generation: 1 });
const domain: KubernetesObject = {
  kind: "SipDomain",
  metadata: metadata("example"),
  spec: { clusterRef: { name: "main" }, domain: "example.com" },
  status: { users: 200, registrations: 200 },
};
const user = (name: string): KubernetesObject => ({
  kind: "SipUser",
  metadata: metadata(name),
  spec: { domainRef: { name: "example" }, username: name, enabled: true, adoptionPolicy: "Never" },
  status: { address: `${name}@example.com` },
});
const names = Array.from({ length: 200 }, (_, index) => `u${index}`);

/** A database in which all 200 users are registered. `rows` may be another one that answers later. */
function installation(rows: (sql: string) => Promise<readonly unknown[]>): Installation {
  return { id: "i", epoch: 1, database: { rows } } as unknown as Installation;
}

const answer = (sql: string): readonly unknown[] => {
  if (sql.includes("strowger_meta")) return [{ namespace: "voice", name: "main", uid: "main" }];
  if (sql.includes("strowger_owner")) return [{ domain: "example.com", users: 200 }];
  return names.map((username) => ({ username, domain: "example.com", contacts: 1, since: null }));
};

function setUp(installations: readonly Installation[], write: (key: string) => Promise<void>) {
  const clock = new VirtualClock();
  const counts: [string, number][] = [];
  const objects = [domain, ...names.map(user)];
  const source = {
    list: (kind: string) => objects.filter((object) => object.kind === kind),
    writeStatus: (_kind: string, key: string) => write(key),
  } as unknown as Source;
  const figures = new RegistrationFigures({
    installations: {
      open: () => installations,
      unreachable: () => [],
      loginProblems: () => ({}),
      of: () => Promise.resolve(undefined),
    },
    source,
    clock,
    onCount: (cluster, bindings) => void counts.push([cluster, bindings]),
    onFailure: () => undefined,
  });
  const seconds = async (count: number): Promise<void> => {
    for (let tick = 0; tick < count * 10; tick += 1) {
      clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { figures, counts, seconds };
}

test("ten statuses a second are written beside the reads: 200 users who appear are shown within 30 s", async () => {
  const written: string[] = [];
  const { figures, counts, seconds } = setUp([installation((sql) => Promise.resolve(answer(sql)))], (key) =>
    Promise.resolve(void written.push(key)),
  );
  figures.start();
  await seconds(10);
  expect(counts).toEqual([["voice/main", 200]]);
  await seconds(10);
  expect(written.length).toBeLessThanOrEqual(101);
  await seconds(10);
  expect(new Set(written).size).toBe(200);
  expect(written.length).toBeLessThanOrEqual(201);
  figures.stop();
  const before = counts.length;
  await seconds(20);
  expect(counts).toHaveLength(before);
});

test("a status is written once, even if the read of another database ends after it", async () => {
  const written: string[] = [];
  let answerEmpty: (rows: readonly unknown[]) => void = () => undefined;
  const slow = installation(() => new Promise((resolve) => (answerEmpty = resolve)));
  const quick = installation((sql) => Promise.resolve(answer(sql).slice(0, 3)));
  const { figures, seconds } = setUp([quick, slow], (key) => Promise.resolve(void written.push(key)));
  figures.start();
  await seconds(12);
  answerEmpty([]);
  await seconds(6);
  expect(written).toEqual(["voice/u0", "voice/u1", "voice/u2", "voice/example"]);
  figures.stop();
});

test("a hanging database, or an API server without an answer, does not delay other counts", async () => {
  const written: string[] = [];
  const { figures, seconds } = setUp(
    [installation(() => new Promise(() => undefined)), installation((sql) => Promise.resolve(answer(sql)))],
    (key) => (key === "voice/u0" ? new Promise(() => undefined) : Promise.resolve(void written.push(key))),
  );
  figures.start();
  await seconds(40);
  expect(new Set(written).size).toBe(199);
  figures.stop();
});

test("no more than twenty writes wait for their answer", async () => {
  const begun: string[] = [];
  const { figures, seconds } = setUp(
    [installation((sql) => Promise.resolve(answer(sql)))],
    (key) => (begun.push(key), new Promise(() => undefined)),
  );
  figures.start();
  await seconds(30);
  expect(begun).toHaveLength(20);
  figures.stop();
});
