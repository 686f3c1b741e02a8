/**
 * What a node does with a peer's frame, by its kind (design-sip rules 3 to 9 and 21). A handler returns the numbers of its answer, or
 * undefined when the frame gets none. `frame.ts` describes the kinds.
 */
import type { Leases } from "../leases/leases.ts";
import { packSequence, readSequence } from "../leases/lease-messages.ts";
import type { Flow } from "../wire/flow.ts";
import type { Ms } from "../wire/units.ts";
import type { Acknowledgements } from "./acknowledgements.ts";
import type { Delivery } from "./delivery.ts";
import type { DuplicateDetection } from "./duplicate-detection.ts";
import type { FlowDirectory } from "./flow-directory.ts";
import type { FlowOwners } from "./flow-owners.ts";
import {
  accepted,
  type Frame,
  type FrameKind,
  never,
  packNumbers,
  unpackChange,
  unpackFlows,
  unpackMessage,
  unpackNumbers,
} from "./frame.ts";
import type { HandedOver } from "./handed-over.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Membership } from "./membership.ts";
import type { PeerRequests } from "./peer-requests.ts";

export type FrameHandler = (frame: Frame, now: Ms) => readonly number[] | undefined;

/** The transactions of this node, as peers reach them. */
export interface RelayReceiver {
  /** A peer received a response to a transaction of this node. */
  receiveRelayedResponse(datagram: string, flow: Flow): void;
  /** A peer received a request that may belong to a transaction of this node. Returns true when it does. */
  acceptOffered(datagram: string, flow: Flow): boolean;
  /** A draining peer hands a request over. Returns true when this node serves it. */
  acceptHandedOver(datagram: string, flow: Flow, peer: string): boolean;
}

export interface FrameHandlersDependencies {
  readonly membership: Membership;
  readonly heartbeat: Pick<Heartbeat, "recordStatus">;
  readonly peerRequests: Pick<PeerRequests, "receiveAnswer" | "send">;
  readonly leases: Leases;
  readonly flows: FlowDirectory;
  readonly owners: FlowOwners;
  readonly delivery: Delivery;
  readonly handedOver: HandedOver;
  readonly acknowledgements: Acknowledgements;
  readonly duplicates: DuplicateDetection;
  readonly receiver: RelayReceiver;
  readonly counts: { received: number; accepted: number };
}

export function createFrameHandlers(
  deps: FrameHandlersDependencies,
): Readonly<Record<FrameKind, FrameHandler>> {
  const { peerRequests, flows, owners, leases } = deps;
  return {
    // Liveness and leases
    ping: (frame, now) => answerPing(deps, frame, now),
    announceChange: (frame) => applyChange(deps, frame),
    changeApplied: ({ from, body }) => {
      const [high, low] = unpackNumbers(body);
      leases.grants.acknowledge(from, readSequence(high, low) ?? 0);
      return undefined;
    },
    farewell: ({ from, body }) => {
      const [high, low] = unpackNumbers(body);
      const final = readSequence(high, low);
      return final === undefined ? undefined : packSequence(leases.held.receiveFarewell(from, final));
    },

    // Answers to this node's own frames
    answer: ({ from, number, body }) => {
      peerRequests.receiveAnswer(from, number, unpackNumbers(body));
      return undefined;
    },
    acknowledge: ({ from, body }) => {
      for (const number of unpackNumbers(body)) peerRequests.receiveAnswer(from, number, [accepted]);
      return undefined;
    },

    // Flows
    announceFlows: ({ from, body }, now) => yieldFlows(deps, unpackFlows(body), from, now),
    findOwner: ({ body }, now) =>
      unpackFlows(body).map((flow) => (flow === undefined ? never : owners.ageOf(flow, now))),
    releaseFlows: ({ body }, now) => {
      for (const flow of unpackFlows(body)) if (flow !== undefined) flows.release(flow, now);
      return [];
    },

    // Messages
    response: (frame) => {
      receiveResponse(deps, frame);
      return undefined;
    },
    sendToPhone: acceptOnce(
      deps,
      (flow, text) => deps.delivery.deliverForPeer(flow, text),
      (frame, answer) => acknowledgeLater(deps, frame, answer),
    ),
    offer: acceptOnce(deps, (flow, text) => deps.receiver.acceptOffered(text, flow)),
    handOver: acceptOnce(deps, (flow, text, from, now) => {
      owners.recordHandedOver(from, flow, now);
      const isAccepted = deps.receiver.acceptHandedOver(text, flow, from);
      if (isAccepted) deps.counts.accepted += 1;
      return isAccepted;
    }),
  };
}

function answerPing(
  { heartbeat, handedOver, leases, membership }: FrameHandlersDependencies,
  { from, body }: Frame,
  now: Ms,
): readonly number[] {
  const [status, ...question] = unpackNumbers(body);
  const ownStatus = heartbeat.recordStatus(from, status);
  // A late ping of a node that has left gets no lease: changes would wait for it
  const asked = membership.get(from)?.status === "left" ? [] : question;
  return [ownStatus, handedOver.count(from), ...leases.reply(from, asked, now)];
}

/** A change of a peer: the copy has it before it is acknowledged. */
function applyChange(
  { leases, membership, peerRequests }: FrameHandlersDependencies,
  { from, body }: Frame,
): undefined {
  const { sequence, change } = unpackChange(body);
  const number = readSequence(sequence[0], sequence[1]);
  const peer = membership.get(from);
  if (number === undefined || peer === undefined) return;
  leases.held.applyChange(from, number, change);
  peerRequests.send(peer.address, "changeApplied", packNumbers(sequence));
}

/** A peer received from these flows: it owns them now, and messages that wait for their phones are sent through it. */
function yieldFlows(
  { owners, delivery }: FrameHandlersDependencies,
  flows: readonly (Flow | undefined)[],
  peer: string,
  now: Ms,
): readonly number[] {
  const ages = flows.map((flow) => (flow === undefined ? never : owners.yieldTo(peer, flow, now)));
  for (const flow of flows) if (flow !== undefined) delivery.queue.wake(flow.key);
  const authenticated = flows.map((flow) => (flow === undefined ? 0 : owners.authenticatedFor(flow, now)));
  return [...ages, ...authenticated];
}

/** A response to a transaction of this node. Its number is acknowledged later with others: the sender does not wait for an answer. */
function receiveResponse(
  { membership, acknowledgements, receiver, counts }: FrameHandlersDependencies,
  frame: Frame,
): void {
  counts.received += 1;
  const peer = membership.get(frame.from);
  const message = unpackMessage(frame.body);
  if (peer === undefined || message === undefined) return;
  acknowledgements.add(peer, frame.number);
  receiver.receiveRelayedResponse(message.text, message.flow);
}

/**
 * A handler for frames with a message, which answers whether `accept` accepted it. A repeated frame gets the same answer; `answerFirst` may change
 * that of the first one.
 */
function acceptOnce(
  { duplicates, counts }: FrameHandlersDependencies,
  accept: (flow: Flow, text: string, from: string, now: Ms) => boolean,
  answerFirst: (frame: Frame, answer: readonly number[]) => readonly number[] | undefined = (_, answer) =>
    answer,
): FrameHandler {
  return (frame, now) => {
    let isFirst = false;
    const answer = duplicates.answerOnce(frame.from, frame.number, now, () => {
      isFirst = true;
      counts.received += 1;
      const message = unpackMessage(frame.body);
      const isAccepted = message !== undefined && accept(message.flow, message.text, frame.from, now);
      return [isAccepted ? accepted : 0];
    });
    return isFirst ? answerFirst(frame, answer) : answer;
  };
}

/**
 * An acceptance is acknowledged later with others. A refusal is answered at once, because the sender tries another way then. So is a repeated
 * frame: its acknowledgement was lost or is late.
 */
function acknowledgeLater(
  { membership, acknowledgements }: FrameHandlersDependencies,
  { from, number }: Frame,
  answer: readonly number[],
): readonly number[] | undefined {
  const peer = membership.get(from);
  if (peer === undefined || answer[0] !== accepted) return answer;
  acknowledgements.add(peer, number);
  return undefined;
}
