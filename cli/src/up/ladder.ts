/** Draws who said what to whom: the exchange in the middle, one phone on either side. */
export interface Step {
  /** The phone at the other end of this message: the left or the right one. */
  readonly side: "left" | "right";
  readonly direction: "to exchange" | "from exchange";
  readonly text: string;
}

const width = 38;

/** Lines of the ladder, 80 columns wide, the names on top; the order of the steps is kept. */
export function ladder(
  names: { readonly left: string; readonly right: string },
  steps: readonly Step[],
): string[] {
  const heading = `${names.left.padEnd(width - 2)}exchange${names.right.padStart(width - 2)}`;
  return [heading, ...steps.map((step) => ` ${row(step)}`)];
}

function row(step: Step): string {
  const quiet = " ".repeat(width);
  // An arrow points to the exchange from either side, or away from it.
  const rightward = (step.side === "left") === (step.direction === "to exchange");
  const room = width - 5;
  const text = step.text.slice(0, room);
  const dashes = "-".repeat(room - text.length);
  const arrow = rightward ? `- ${text} ${dashes}->` : `<- ${text} ${dashes}-`;
  return step.side === "left" ? `|${arrow}|${quiet}|` : `|${quiet}|${arrow}|`;
}
