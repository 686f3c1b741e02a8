import { expect, it } from "vitest";
import { flatText } from "./flat-text.ts";

it.each(["", "\0", "\0bob@example.com", "bob@example.com", "\xe9"])("%j stays the same text", (text) => {
  expect(flatText(`${text}`)).toBe(text);
});
