/** Edits leave all other bytes unchanged (RFC 3261 §16.6 step 1). */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../test/support/seeded-random.ts";
import { requestOf, requestText, responseOf } from "../../../test/support/sip-message.ts";
import {
  applyEdits,
  type Edit,
  insertAtEnd,
  insertOnTop,
  removeField,
  removeTopVia,
  replaceRequestUri,
  replaceTopVia,
  replaceValue,
} from "./edits.ts";
import { findField } from "./fields.ts";
import { parseMessage } from "./parse-message.ts";

const fields = {
  Via: ["SIP/2.0/UDP a;branch=1 ,  SIP/2.0/UDP b;branch=2", "SIP/2.0/UDP c;branch=3"],
  "X-Odd ": " \t folded\r\n  value ; , <>",
  Subject: Buffer.from("Grüße", "utf8").toString("latin1"),
};
const request = requestOf("INVITE", "sip:bob@example.com", fields, "v=0\r\n");

describe("one edit", () => {
  it("replaces the Request-URI", () => {
    expect(applyEdits(request.text, [replaceRequestUri(request, "sip:x@y")])).toBe(
      request.text.replace("sip:bob@example.com SIP", "sip:x@y SIP"),
    );
  });

  it("replaces the top Via value and no other value of its line", () => {
    expect(applyEdits(request.text, [replaceTopVia(request, "NEW")])).toBe(
      request.text.replace("SIP/2.0/UDP a;branch=1", "NEW"),
    );
  });

  it("replaces and removes a folded field", () => {
    const field = request.fields.find(({ name }) => name === "other");
    if (field === undefined) throw new Error("no field");
    expect(applyEdits(request.text, [replaceValue(field, "v")])).toContain("\r\nX-Odd :  \t v\r\n");
    expect(applyEdits(request.text, [removeField(field)])).not.toMatch(/Odd|folded/);
  });

  it("inserts before and after all fields", () => {
    const text = applyEdits(request.text, [
      insertOnTop(request, "A: 1\r\n"),
      insertAtEnd(request, "Z: 2\r\n"),
    ]);
    expect(text.split("\r\n")[1]).toBe("A: 1");
    expect(text).toContain("\r\nZ: 2\r\n\r\nv=0\r\n");
  });
});

it("§16.7 step 3: the top Via is removed, the values after it stay, and a field without values is removed", () => {
  const both = responseOf(200, "OK", { Via: "SIP/2.0/UDP us;branch=1, SIP/2.0/UDP them;branch=2" });
  expect(applyEdits(both.text, [removeTopVia(both)])).toContain("\r\nVia:  SIP/2.0/UDP them;branch=2\r\n");
  const alone = responseOf(200, "OK", { Via: ["SIP/2.0/UDP us;branch=1", "SIP/2.0/UDP them;branch=2"] });
  const text = applyEdits(alone.text, [removeTopVia(alone)]);
  expect(text.match(/^Via: .*$/gm)).toEqual(["Via: SIP/2.0/UDP them;branch=2"]);
});

it("an insertion at the place of a removed field does not restore it", () => {
  const routed = parseMessage(requestText("INVITE", "sip:b@h").replace("Via", "Route: <sip:us>\r\nVia"));
  const route = findField(routed.fields, "route");
  if (routed.kind !== "request" || route === undefined) throw new Error("unreadable");
  for (const edits of [
    [removeField(route), insertOnTop(routed, "New: 1\r\n")],
    [insertOnTop(routed, "New: 1\r\n"), removeField(route)],
  ])
    expect(applyEdits(routed.text, edits)).toBe(routed.text.replace("Route: <sip:us>", "New: 1"));
});

it("random edits that do not overlap leave all other bytes unchanged", () => {
  const random = seededRandom("edits");
  for (let round = 0; round < 500; round++) {
    const cuts = Array.from({ length: random.below(8) * 2 }, () =>
      random.below(request.text.length + 1),
    ).sort((a, b) => a - b);
    const edits: Edit[] = [];
    let expected = "";
    let at = 0;
    for (let i = 0; i < cuts.length; i += 2) {
      const [start = 0, end = 0] = cuts.slice(i, i + 2);
      const text = `#${i}#`.repeat(random.below(3));
      edits.push({ start, end, text });
      expected += request.text.slice(at, start) + text;
      at = end;
    }
    expect(applyEdits(request.text, edits), random.seed).toBe(expected + request.text.slice(at));
  }
});
