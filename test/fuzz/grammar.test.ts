/** Every message that the grammar of RFC 3261 §25.1 permits is accepted, with its values; damage to it is survived. */
import { expect, it } from "vitest";
import { parseList } from "../../sip-node/src/wire/list-values.ts";
import { parseMessage } from "../../sip-node/src/wire/parse-message.ts";
import { isProblem } from "../../sip-node/src/wire/problem.ts";
import { parseVia } from "../../sip-node/src/wire/via.ts";
import { grammarMessage } from "./grammar.ts";
import { damage } from "./mutate.ts";
import { fuzzTimeout, survive } from "./survive.ts";

it(
  "a valid message is read with the values that it was made of",
  () => {
    survive("grammar", 6_000, grammarMessage, (made) => {
      const message = parseMessage(made.text);
      if (message.kind === "malformed") throw new Error(message.problem.reason);
      if (message.kind === "request") expect([message.method, message.uri]).toEqual([made.method, made.uri]);
      else expect(message.status).toBe(made.status);
      expect([message.callId, message.cseq]).toEqual([
        made.callId,
        { number: made.sequence, method: made.method },
      ]);
      expect([message.from.uri, message.from.tag]).toEqual([made.from.uri, made.from.tag]);
      expect([message.to.uri, message.to.tag]).toEqual([made.to.uri, made.to.tag]);
      expect(message.text.slice(message.bodyStart)).toBe(made.body);
      const vias = parseList(message, "via", parseVia);
      if (isProblem(vias)) throw new Error(vias.reason);
      expect(vias.map(({ host, port, branch }) => ({ host, port, branch }))).toEqual(made.vias);
    });
  },
  fuzzTimeout,
);

it(
  "a damaged one is read or refused with a reason, and a request that is read keeps its bytes",
  () => {
    survive(
      "damaged grammar",
      6_000,
      (random) => damage(random, grammarMessage(random).text),
      (text) => {
        const message = parseMessage(text);
        if (message.kind === "malformed") expect(message.problem.reason.length).toBeLessThan(400);
        else
          expect(text.includes(message.text.slice(message.text.indexOf("\r\n"), message.bodyStart))).toBe(
            true,
          );
      },
    );
  },
  fuzzTimeout,
);
