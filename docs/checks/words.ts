/** No document, comment or YAML file uses a word of `dropped-words.ts`. */
import { droppedWords } from "./dropped-words.ts";
import type { Tree } from "./tree.ts";

/** One line for each place with a dropped word. */
export function droppedWordProblems(
  tree: Tree,
  words: Readonly<Record<string, string>> = droppedWords,
): string[] {
  const pattern = patternOf(Object.keys(words));
  return tree.files.flatMap((path) => {
    const proseOf = proseByEnding[/\.\w+$/.exec(path)?.[0] ?? ""];
    if (proseOf === undefined) return [];
    const prose = proseOf(tree.read(path));
    return [...prose.matchAll(pattern)].map(({ index, 0: found }) => {
      const line = prose.slice(0, index).split("\n").length;
      const word = found.toLowerCase().replace(separator, " ");
      return `${path}:${line}: do not write "${word}", but: ${words[word] ?? ""}`;
    });
  });
}

/** Between two words: spaces, or a line break with the comment marker of the next line. */
const separator = /\s+(?:[*#]\s+|\/\/\s+)?/g;

/** Whole words in any case. */
const patternOf = (words: readonly string[]): RegExp =>
  new RegExp(
    `(?<![\\w-])(?:${words.map((word) => word.replaceAll(" ", separator.source)).join("|")})(?![\\w-])`,
    "gi",
  );

/** The same text with everything except prose replaced by spaces. Offsets and line breaks stay. */
type ProseOf = (text: string) => string;

const blank = (text: string): string => text.replace(/[^\n]/g, " ");
const withoutCode = (text: string): string => text.replace(/`[^`\n]*`/g, blank);

const proseOfMarkdown: ProseOf = (text) => withoutCode(text.replace(/^```[\s\S]*?^```$/gm, blank));

/** The comments. A `//` inside a string also counts if a space is before it. */
const proseOfTypeScript: ProseOf = (text) => {
  let prose = "";
  let end = 0;
  for (const { index, 0: comment } of text.matchAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm)) {
    prose += blank(text.slice(end, index)) + withoutCode(comment);
    end = index + comment.length;
  }
  return prose + blank(text.slice(end));
};

const proseByEnding: Readonly<Record<string, ProseOf | undefined>> = {
  ".md": proseOfMarkdown,
  ".ts": proseOfTypeScript,
  ".mjs": proseOfTypeScript,
  ".yaml": (text) => text,
};
