/** The second Via, in each notation (RFC 3261 §7.3.1). */
import { expect, it } from "vitest";
import { responseOf } from "../../../test/support/sip-message.ts";
import { parseSecondVia } from "./second-via.ts";

const [first, second] = ["SIP/2.0/UDP us;branch=z9hG4bK1", "SIP/2.0/UDP them:5070;branch=z9hG4bK2"];

it.each([
  ["in its own field", [first, second]],
  ["in the same field", [`${first}, ${second}`]],
  ["in a folded line of the same field", [`${first},\r\n ${second}`]],
  ["before others", [first, `${second}, SIP/2.0/UDP others`]],
])("%s", (_, Via) => {
  expect(parseSecondVia(responseOf(200, "OK", { Via }))).toMatchObject({ host: "them", port: 5070 });
});

it.each([
  ["there is none", [first]],
  ["it is empty", [`${first},`]],
  ["its field is empty", [first, ""]],
  ["it cannot be read", [first, "nonsense"]],
])("is undefined when %s", (_, Via) => {
  expect(parseSecondVia(responseOf(200, "OK", { Via }))).toBeUndefined();
});
