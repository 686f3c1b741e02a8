/**
 * The class of a datagram, by its first bytes (RFC 3261 §7.1). It is known before the datagram is parsed, so that a datagram that is dropped
 * costs almost nothing. A wrong method name may get the class of a right one. Pure.
 */

/** `call`: requests that create dialogs, reach other phones or change subscriptions. `other`: all other requests, and garbage. */
export type DatagramClass = "keepalive" | "response" | "register" | "call" | "other";

/** No SIP message is as short as this. */
const longestKeepalive = 8;

const [CR, LF] = [0x0d, 0x0a];
const letter = (text: string): number => text.charCodeAt(0);
const [E, F, G, I, M, N, P, R, S, U, V] = [..."EFGIMNPRSUV"].map(letter);

export function datagramClass(datagram: string): DatagramClass {
  if (datagram.length <= longestKeepalive) return "keepalive";
  let at = 0;
  while (datagram.charCodeAt(at) === CR && datagram.charCodeAt(at + 1) === LF) at += 2; // the parser skips them too (§7.5)
  const first = datagram.charCodeAt(at);
  const second = datagram.charCodeAt(at + 1);
  const third = datagram.charCodeAt(at + 2);
  switch (first) {
    case R: // REGISTER, REFER
      return second === E && third === G ? "register" : second === E && third === F ? "call" : "other";
    case I: // INVITE; not INFO
      return second === N && third === V ? "call" : "other";
    case M: // MESSAGE
      return second === E ? "call" : "other";
    case P: // PUBLISH; not PRACK
      return second === U ? "call" : "other";
    case S: // SIP/2.0, SUBSCRIBE
      return second === I || second === 0x69 ? "response" : second === U ? "call" : "other";
    default: // the version of a response is accepted in lower case
      return first === 0x73 && (second === I || second === 0x69) ? "response" : "other";
  }
}
