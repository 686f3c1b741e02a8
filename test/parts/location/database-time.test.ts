/** The time queries of both programs on a MariaDB with a time zone with summer time, in the hour that exists twice in autumn. */
import { afterAll, beforeAll, expect, it } from "vitest";
import * as operator from "../../../operator/src/adapters/mysql/database-time.ts";
import * as node from "../../../sip-node/src/adapters/mysql/database-time.ts";
import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { describeWith } from "../../support/needs.ts";

/** Both are 02:30 in Central Europe. */
const instants = ["2026-10-25T00:30:00.250Z", "2026-10-25T01:30:00.250Z"].map((text) => Date.parse(text));

describeWith(["mariadb"], "a MariaDB in Central Europe", () => {
  let server: TestMariadb;
  beforeAll(async () => {
    server = await startMariadb({ environment: { TZ: "CET-1CEST,M3.5.0,M10.5.0/3" } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const at = async (time: number, expression: string): Promise<unknown> => {
    await server.query("SET SESSION time_zone = 'SYSTEM', timestamp = ?", [time / 1000]);
    const [row] = await server.query<{ now: unknown }>(`SELECT ${expression} AS now`);
    return row?.now;
  };

  it("its local time is the same in the two instants", async () => {
    const local: unknown[] = [];
    for (const hour of instants) local.push(await at(hour, "CAST(NOW() AS CHAR)"));
    expect(local).toEqual(["2026-10-25 02:30:00", "2026-10-25 02:30:00"]);
  });

  it.each([
    ["operator", operator.databaseNow, operator.databaseSeconds, operator.databaseDatetime],
    ["sip-node", node.databaseNow, node.databaseSeconds, node.databaseDatetime],
  ])("%s: milliseconds, seconds and a DATETIME in UTC of each", async (_, now, seconds, datetime) => {
    for (const hour of instants) {
      expect(Number(await at(hour, now))).toBe(hour);
      expect(Number(await at(hour, seconds))).toBe(Math.floor(hour / 1000));
      expect(await at(hour, `CAST(${datetime} AS CHAR)`)).toBe(
        new Date(hour).toISOString().slice(0, 19).replace("T", " "),
      );
    }
  });
});
