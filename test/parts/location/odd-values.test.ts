/** Values with characters that mean something in SQL, in databases with unusual `sql_mode` (`sip-node/src/adapters/mysql/literal.ts`). */
import { expect, it } from "vitest";
import { LocationTables } from "../../../sip-node/src/adapters/mysql/location-tables.ts";
import type { Binding } from "../../../sip-node/src/location/binding.ts";
import { flowOf } from "../../../sip-node/src/wire/flow.ts";
import { toWireText } from "../../../sip-node/src/wire/wire-text.ts";
import { databaseOf, startMigrated } from "../../support/location-database.ts";
import { describeWith } from "../../support/needs.ts";

const odd = [
  `x'); DROP TABLE location; -- x`,
  `\\'); DELETE FROM location; #`,
  `"a" \`b\` 'c' \\n ?? ? :name %s`,
  `end\\`,
  `tab\tline\r\nnull\0`,
  `Grüße 日本 😀`,
];

describeWith(["mariadb"], "values that mean something in SQL", () => {
  it.each(["", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES"])("are stored as they are: sql_mode %s", async (mode) => {
    await using server = await startMigrated({ args: [`--sql-mode=${mode}`] });
    const database = databaseOf(server);
    try {
      const store = new LocationTables(database, () => undefined);
      const bindings = odd.map((text, i): Binding => {
        const wire = toWireText(text);
        return {
          id: `${i + 1}`,
          contact: `sip:${wire}@10.0.0.1`,
          q: 1000,
          callId: wire,
          cseq: 1,
          expiresIn: 100,
          flow: flowOf("198.51.100.7", 40_000),
          isBehindNat: true,
          ownerNode: "0123456789ab",
          userAgent: wire,
          instance: `<${wire}>`,
          regId: 0,
          nonceAt: 0,
          nonceCount: 0,
          registeredAt: 7,
        };
      });
      const changes = odd.map((username, i) => ({
        aor: { username, domain: "example.com" },
        version: 0,
        bindings: [bindings[i] as Binding],
      }));
      expect(await store.commit(changes)).toEqual(odd.map(() => "committed"));
      const lists = await store.bindings(changes.map(({ aor }) => aor));
      for (const [i, { version, bindings: found }] of lists.entries()) {
        expect(version).toBe(1);
        const { contact, callId, instance } = bindings[i] as Binding;
        expect(found).toMatchObject([{ contact, callId, instance }]);
      }
      const agents = await server.query<{ readonly user_agent: string }>(
        "SELECT user_agent FROM location ORDER BY contact_id",
      );
      expect(agents.map(({ user_agent }) => user_agent)).toEqual(odd);
    } finally {
      await database.close();
    }
  });
});
