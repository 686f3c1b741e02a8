/** The table against its arrows, pair by pair; a pair that is not listed changes nothing. */
import { describe, expect, test } from "vitest";
import { databaseStates, databaseTable, type DatabaseEvent, type DatabaseStep } from "./database-states.ts";

// state | event | next | action
const arrows = `
  closed    | requested                   | closed    | open
  closed    | opening failed              | failed    | nothing
  failed    | requested                   | failed    | repeat failure
  failed    | heartbeat due               | failed    | retry
  failed    | SipCluster changed          | closed    | nothing
  failed    | Secret changed              | closed    | open
  failed    | not needed                  | closed    | nothing
  leading   | requested                   | leading   | answer
  leading   | heartbeat due               | leading   | send heartbeat
  leading   | Secret changed              | leading   | check logins
  leading   | not needed                  | closed    | release
  leading   | database replaced           | closed    | reopen
  leading   | taken by another SipCluster | closed    | close
  leading   | contested                   | failed    | stand aside
  leading   | leadership lost             | leading   | report
  observing | requested                   | observing | repeat failure
  observing | Secret changed              | observing | open
  observing | not needed                  | closed    | release`;

const listed = new Map(
  arrows
    .trim()
    .split("\n")
    .map((line) => line.split("|").map((part) => part.trim()))
    .map(([state, event, next, action]) => [`${state} ${event}`, { next, action }]),
);

const opened = new Map<DatabaseEvent, string>([
  ["opened as leader", "leading"],
  ["opened as observer", "observing"],
]);

describe.each(databaseStates)("%s", (state) => {
  const row = Object.entries(databaseTable[state]) as [DatabaseEvent, DatabaseStep][];
  test.each(row)("%s", (event, step) => {
    const otherwise = { next: opened.get(event) ?? state, action: "nothing" };
    expect(step).toEqual(listed.get(`${state} ${event}`) ?? otherwise);
  });
});

test("every arrow is of a state and an event of the table", () => {
  const pairs = databaseStates.flatMap((state) =>
    Object.keys(databaseTable[state]).map((event) => `${state} ${event}`),
  );
  expect(pairs).toEqual(expect.arrayContaining([...listed.keys()]));
  expect(pairs).toHaveLength(4 * 12);
});
