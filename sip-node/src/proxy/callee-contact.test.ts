/** The token in the Record-Route of a response (RFC 3261 §16.7 step 8, ADR 51). */
import { expect, it } from "vitest";
import { responseOf } from "../../../test/support/sip-message.ts";
import { createSeal } from "../auth/create-seal.ts";
import { contactKey } from "../location/contact-key.ts";
import { applyEdits } from "../wire/edits.ts";
import { flowOf } from "../wire/flow.ts";
import { calleeContactEdits } from "./callee-contact.ts";
import { openToken, sealToken } from "./flow-token.ts";

const ring = [{ id: "k", key: Buffer.alloc(32, "a"), verifyFrom: 0, signFrom: 0, dropAfter: Infinity }];
const seal = createSeal(ring, "flow token", () => 1);
const registered = "sip:bob@192.0.2.2:5060";
const other = "sip:conference-7@192.0.2.2:5060;transport=udp";
const party = (address: string, key: string) => ({
  ...{ flow: flowOf(address, 5060), isBehindNat: false, ownerNode: "", contactId: "7", contactKey: key },
});
const parties = { caller: party("192.0.2.1", "5"), callee: party("192.0.2.2", contactKey(registered)) };
const dialog = { callId: "call", fromTag: "a" };
const newlySent = () => ({
  ...{ ...parties, text: sealToken(parties, "call", "a", seal) },
  refreshed: undefined,
});
const sent = newlySent();

const routeOf = (token: string) => `<sip:${token}@192.0.2.9:5060;lr>`;
const fieldsWith = (contact: string, route = routeOf(sent.text)) => ({
  ...{ "Call-ID": "call", From: "<sip:alice@h>;tag=a", To: "<sip:bob@h>;tag=b", Contact: contact },
  "Record-Route": route,
});

it.each([180, 200])(
  "a %i with another Contact: the token has its key, and the parties of before",
  (status) => {
    const response = responseOf(status, "Reason", fieldsWith(`"Bob" <${other}>;+sip.ice`));
    const [edit] = calleeContactEdits(response, sent, dialog, seal);
    if (edit === undefined) expect.fail("no edit");
    const text = applyEdits(response.text, [edit]);
    const token = /sip:([^@]*)@192\.0\.2\.9:5060;lr>/.exec(text)?.[1] ?? "";
    expect(text.replace(token, sent.text)).toBe(response.text);
    expect(openToken(token, "call", "a", seal)).toEqual({
      ...parties,
      callee: { ...parties.callee, contactKey: contactKey(other) },
    });
  },
);

it("a 200 with the Contact of the 180 before it gets the same token without another seal, and one with a third Contact gets its own", () => {
  let seals = 0;
  const counted = { ...seal, seal: (data: string | Uint8Array) => ((seals += 1), seal.seal(data)) };
  const token = newlySent();
  const editOf = (status: number, contact: string) =>
    calleeContactEdits(responseOf(status, "Reason", fieldsWith(contact)), token, dialog, counted)[0]?.text;
  const ringing = editOf(180, `<${other}>`);
  expect([editOf(200, `<${other}>`), seals]).toEqual([ringing, 1]);
  expect(editOf(200, "<sip:third@192.0.2.3>")).not.toBe(ringing);
  expect([editOf(200, `<${other}>`), seals]).toEqual([ringing, 3]);
});

it("our token is found between those of other proxies", () => {
  const route = `<sip:198.51.100.1;lr>, ${routeOf(sent.text)}, <sip:198.51.100.2;lr>`;
  const response = responseOf(200, "OK", fieldsWith(`<${other}>`, route));
  const [edit] = calleeContactEdits(response, sent, dialog, seal);
  expect(response.text.slice(edit?.start, edit?.end)).toBe(sent.text);
});

it("the token belongs to the dialog of the request, whatever Call-ID and From tag the callee writes", () => {
  const fields = { ...fieldsWith(`<${other}>`), "Call-ID": "others", From: "<sip:alice@h>;tag=x" };
  const [edit] = calleeContactEdits(responseOf(200, "OK", fields), sent, dialog, seal);
  const token = edit?.text ?? "";
  expect(openToken(token, "others", "x", seal)).toBeUndefined();
  expect(openToken(token, "call", "a", seal)).toBeDefined();
});

it.each([
  ["the Contact that was registered", 200, fieldsWith(`<${registered}>`)],
  ["a Contact that is no SIP URI", 200, fieldsWith("<tel:+1>")],
  ["no Contact", 200, { ...fieldsWith(""), Contact: undefined }],
  ["a Record-Route without the token", 200, fieldsWith(`<${other}>`, routeOf("x"))],
  ["the token in another field", 200, { ...fieldsWith(`<${other}>`, routeOf("x")), Subject: sent.text }],
  ["a 100", 100, fieldsWith(`<${other}>`)],
  ["a 302", 302, fieldsWith(`<${other}>`)],
])("a response with %s stays as it is", (_, status, fields) => {
  expect(calleeContactEdits(responseOf(status, "Reason", fields), sent, dialog, seal)).toEqual([]);
});
