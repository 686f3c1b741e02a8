/** The Via below the top one, however the two are written (RFC 3261 §7.3.1). */
import { expect, it } from "vitest";
import { responseOf } from "../../../test/support/sip-message.ts";
import { viaBelow } from "./via-below.ts";

const [ours, theirs] = ["SIP/2.0/UDP us;branch=z9hG4bK1", "SIP/2.0/UDP them:5070;branch=z9hG4bK2"];

it.each([
  ["in a field of its own", [ours, theirs]],
  ["in the same field", [`${ours}, ${theirs}`]],
  ["in a folded line of the same field", [`${ours},\r\n ${theirs}`]],
  ["above others", [ours, `${theirs}, SIP/2.0/UDP others`]],
])("%s", (_, Via) => {
  expect(viaBelow(responseOf(200, "OK", { Via }))).toMatchObject({ host: "them", port: 5070 });
});

it.each([
  ["there is none", [ours]],
  ["it is empty", [`${ours},`]],
  ["its field is empty", [ours, ""]],
  ["it cannot be read", [ours, "nonsense"]],
])("undefined where %s", (_, Via) => {
  expect(viaBelow(responseOf(200, "OK", { Via }))).toBeUndefined();
});
