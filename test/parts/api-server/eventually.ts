/** Waits until `holds` returns true. Throws after `within` ms, with the text of `more` in the message. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  { within = 60_000, more = () => "" }: { within?: number; more?: () => string } = {},
): Promise<void> {
  const deadline = performance.now() + within;
  let failure: unknown;
  for (;;) {
    try {
      if (await holds()) return;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline)
      throw new Error(
        `not within ${within} ms: ${what}\n${failure instanceof Error ? failure.message : ""}\n${more()}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
