/** Attended transfer (RFC 5589 §7): the transferee calls the contact of the transfer target that is in the REFER (ADR 30). */
import { expect, it } from "vitest";
import { registerPhones, useExchange } from "../support/scenario.ts";

const currentExchange = useExchange("abc");

it("a call to a phone's own contact rings there, behind NAT and through its node, and both phones can end it", async () => {
  const exchange = currentExchange();
  const [alice, bob, carol, other] = await registerPhones(exchange, "alice@a", "bob@b", "carol@c", "carol@a");
  const first = alice!.call("bob");
  const consultation = alice!.call("carol");
  await exchange.net.until("both talk", () => first.status === 200 && consultation.status === 200);
  const target = consultation.dialog.target === carol!.contact ? carol! : other!;
  const rungBefore = [carol!.incomingCalls.length, other!.incomingCalls.length];
  const transferred = bob!.callUri(target.contact);
  await exchange.net.until("they talk", () => transferred.status === 200);
  const rung = [carol!.incomingCalls.length, other!.incomingCalls.length];
  expect(rung.map((count, i) => count - (rungBefore[i] ?? 0))).toEqual(target === carol ? [1, 0] : [0, 1]);
  expect(target.incomingCalls[target.incomingCalls.length - 1]!.invite.startLine).toBe(
    `INVITE ${target.contact} SIP/2.0`,
  );
  const bye = target.within(target.incomingCalls[target.incomingCalls.length - 1]!.dialog!, "BYE");
  await exchange.net.until("it is hung up", () => bye.status > 0);
  expect(bye.status).toBe(200);
});

it("a contact without a registration is answered with 404, and nothing is sent there", async () => {
  const exchange = currentExchange();
  const [bob, carol] = await registerPhones(exchange, "bob@b", "carol@c");
  const gone = carol!.contact;
  const left = carol!.register(`<${gone}>`, { expires: 0 });
  await exchange.net.until("it has left", () => left.status === 200);
  const call = bob!.callUri(gone);
  await exchange.net.until("answered", () => call.status > 0);
  expect([call.status, carol!.incomingCalls.length]).toEqual([404, 0]);
});
