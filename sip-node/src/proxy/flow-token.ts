/**
 * The flow token in our Record-Route: how both phones of a dialog are reached, so that no node needs dialog state (design-sip rule 17,
 * RFC 5626 §5.3). Opaque to phones. Its seal covers the Call-ID and the caller's tag; the tag also tells the direction of a request.
 *
 *   ssssssssssssssssss ccc...ccc . ppp...ppp
 *   seal               caller      callee       (`packed-party.ts`)
 */
import { type Seal, sealLength } from "../wire/seal.ts";
import { packParty, type Party, unpackParty } from "./packed-party.ts";

export interface FlowToken {
  readonly caller: Party;
  readonly callee: Party;
}

/** It is in no base64url text. */
const separator = ".";

export function sealToken(
  { caller, callee }: FlowToken,
  callId: string,
  callerTag: string,
  seal: Seal,
): string {
  const packed = packParty(caller) + separator + packParty(callee);
  return seal.seal(sealed(packed, callId, callerTag)) + packed;
}

/** The parties of a token with the seal for this Call-ID and caller's tag; undefined for any other text. */
export function openToken(
  text: string,
  callId: string,
  callerTag: string,
  seal: Seal,
): FlowToken | undefined {
  const packed = text.slice(sealLength);
  const middle = packed.indexOf(separator);
  if (middle < 0 || !seal.isSealed(sealed(packed, callId, callerTag), text.slice(0, sealLength)))
    return undefined;
  const caller = unpackParty(packed.slice(0, middle));
  const callee = unpackParty(packed.slice(middle + 1));
  return caller === undefined || callee === undefined ? undefined : { caller, callee };
}

const sealed = (packed: string, callId: string, callerTag: string): string =>
  `${packed} ${callId} ${callerTag}`;
