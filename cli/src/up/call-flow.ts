/** Draws the SIP messages of a call as a call flow: the exchange in the middle, one phone on each side. */
export interface CallFlowMessage {
  /** The phone that sent or received the message. */
  readonly side: "left" | "right";
  readonly direction: "to exchange" | "from exchange";
  readonly text: string;
}

const columnWidth = 38;

/** One line for each message in their order, 80 columns wide, below a line with the names. */
export function drawCallFlow(
  names: { readonly left: string; readonly right: string },
  messages: readonly CallFlowMessage[],
): string[] {
  const heading = `${names.left.padEnd(columnWidth - 2)}exchange${names.right.padStart(columnWidth - 2)}`;
  return [heading, ...messages.map((message) => ` ${drawMessage(message)}`)];
}

function drawMessage({ side, direction, text: fullText }: CallFlowMessage): string {
  const emptyColumn = " ".repeat(columnWidth);
  const pointsRight = (side === "left") === (direction === "to exchange");
  const textWidth = columnWidth - 5;
  const text = fullText.slice(0, textWidth);
  const dashes = "-".repeat(textWidth - text.length);
  const arrow = pointsRight ? `- ${text} ${dashes}->` : `<- ${text} ${dashes}-`;
  return side === "left" ? `|${arrow}|${emptyColumn}|` : `|${emptyColumn}|${arrow}|`;
}
