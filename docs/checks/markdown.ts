/** The parts of a Markdown document for the checks: its lines without fenced blocks, its fenced blocks, and the rows of its tables. */

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

export interface Block {
  /** The line of the opening fence, from 1. */
  readonly number: number;
  /** The line above the fence. */
  readonly above: string;
  readonly lines: readonly string[];
}

export interface Markdown {
  /** Outside fenced blocks. */
  readonly prose: readonly Line[];
  readonly blocks: readonly Block[];
}

export function readMarkdown(text: string): Markdown {
  const prose: Line[] = [];
  const blocks: Block[] = [];
  let open: { number: number; above: string; lines: string[] } | undefined;
  let above = "";
  text.split("\n").forEach((line, i) => {
    if (line.startsWith("```")) {
      if (open === undefined) open = { number: i + 1, above, lines: [] };
      else {
        blocks.push(open);
        open = undefined;
      }
    } else if (open === undefined) prose.push({ number: i + 1, text: line });
    else open.lines.push(line);
    above = line;
  });
  return { prose, blocks };
}

/** The cells of a table row; undefined for any other line, and for the line below a table heading. */
export function cellsOf(line: string): readonly string[] | undefined {
  if (!line.startsWith("|") || /^\|[\s|:-]+$/.test(line)) return undefined;
  return line
    .replace(/^\||\|\s*$/g, "")
    .split("|")
    .map((cell) => cell.trim());
}

/** The texts between back-quotes. */
export const codeIn = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
