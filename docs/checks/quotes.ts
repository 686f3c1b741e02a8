/**
 * A fenced block below the line `<!-- quoted from PATH -->` must be lines of that file, one after the other; a line that is only `...`
 * stands for lines left out.
 */
import { type Block, readMarkdown } from "./markdown.ts";
import { documentsOf, exists, type Tree } from "./tree.ts";

const mark = /^<!-- quoted from (\S+) -->$/;

/** One line for each quotation that is not what its file says. */
export function staleQuotes(tree: Tree): string[] {
  return documentsOf(tree).flatMap((document) =>
    readMarkdown(tree.read(document)).blocks.flatMap((block) => {
      const path = mark.exec(block.above)?.[1];
      const problem = path === undefined ? undefined : misquoted(tree, path, block);
      return problem === undefined ? [] : [`${document}:${block.number}: ${problem}`];
    }),
  );
}

function misquoted(tree: Tree, path: string, block: Block): string | undefined {
  if (!exists(tree, path)) return `quotes ${path}, which is not there`;
  // Between line ends, so that no part matches within a line.
  let rest = `\n${tree.read(path)}`;
  for (const part of block.lines.join("\n").split("\n...\n")) {
    const at = rest.indexOf(`\n${part}\n`);
    if (at < 0) return `is not what ${path} says`;
    rest = rest.slice(at + part.length + 1);
  }
  return undefined;
}
