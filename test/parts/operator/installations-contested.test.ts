/** Two operators that write to one database. */
import { expect, test } from "vitest";
import { systemClock } from "../../../operator/src/runtime/clock.ts";
import {
  clock,
  contested,
  failure,
  installations,
  mariadb,
  mysql,
  reports,
  setClock,
  source,
} from "./installations-setup.ts";

const epoch = async (): Promise<number> => {
  const [row] = await mariadb.query<{ epoch: number }>("SELECT epoch FROM strowger_meta");
  return row!.epoch;
};

/** Simulates that the other operator has written no heartbeat for this time, and that this one has waited as long. */
async function silent(ms: number): Promise<void> {
  await mariadb.query(`UPDATE strowger_meta SET leader_beat_at = leader_beat_at - ${ms}`);
  const before = clock;
  setClock({ ...systemClock, now: () => before.now() + ms });
}

const annotate = (value: string | undefined): void => {
  const annotations = value === undefined ? {} : { "sip.strowger.dev/take-over": value };
  source.put("SipCluster", "ns", "c", mysql(), { uid: "u1", annotations });
  installations.changed({ kind: "SipCluster", key: "ns/c", what: "object" });
};

test("if another program raises the epoch of one database while this operator holds the Lease, only that SipCluster stops, and the program's name is reported", async () => {
  await contested();
  expect(reports.filter((line) => line.startsWith("lost"))).toEqual([]);
  expect(await failure()).toMatchObject({
    reason: "DatabaseTaken",
    message: expect.stringContaining('another operator ("operator-far") writes to this database') as string,
  });
  expect(installations.unreachable()).toEqual(["ns/c"]);
  await (await installations.of("other/d"))!.write(() => Promise.resolve());
});

test("a contested database is taken again after a minute without a heartbeat of the other operator; the two do not alternate", async () => {
  await contested();
  const theirs = await epoch();
  annotate(undefined); // a change of the object has no effect
  for (let round = 0; round < 3; round += 1) await installations.sendHeartbeats();
  setClock({ ...systemClock, now: () => Date.now() + 61_000 });
  await mariadb.query("UPDATE strowger_meta SET leader_beat_at = UNIX_TIMESTAMP(NOW(3)) * 1000"); // it is alive
  await installations.sendHeartbeats();
  expect((await failure())?.reason).toBe("DatabaseTaken");
  expect(await epoch()).toBe(theirs);
  await silent(61_000);
  await installations.sendHeartbeats();
  expect(reports.at(-1)).toBe("back ns/c");
  await (await installations.of("ns/c"))!.write(() => Promise.resolve());
  expect(await epoch()).toBe(theirs + 1);
});

test("a leader that releases the database after each raise of the epoch does not shorten that minute", async () => {
  await contested();
  const theirs = await epoch();
  await mariadb.query("UPDATE strowger_meta SET leader_beat_at = 0");
  await installations.sendHeartbeats();
  expect((await failure())?.reason).toBe("DatabaseTaken");
  expect(await epoch()).toBe(theirs);
});

test("the annotation take-over takes a contested database at once, and only once for each value", async () => {
  const { id } = await contested();
  const theirs = await epoch();
  annotate(id);
  await (await installations.of("ns/c"))!.write(() => Promise.resolve());
  expect(await epoch()).toBe(theirs + 1);
  await mariadb.query("UPDATE strowger_meta SET epoch = epoch + 1");
  await installations.sendHeartbeats();
  annotate(id); // it is still set
  await installations.sendHeartbeats();
  expect((await failure())?.reason).toBe("DatabaseTaken");
  expect(await epoch()).toBe(theirs + 2);
  annotate(undefined);
  annotate(id);
  expect((await installations.of("ns/c"))?.epoch).toBe(theirs + 3);
});

test("a SipCluster whose database is contested can switch to another database at once", async () => {
  await contested();
  await mariadb.query("CREATE DATABASE IF NOT EXISTS third CHARACTER SET utf8mb4");
  source.put("SipCluster", "ns", "c", mysql({ database: "third" }), { uid: "u1" });
  installations.changed({ kind: "SipCluster", key: "ns/c", what: "object" });
  await (await installations.of("ns/c"))!.write(() => Promise.resolve());
});
