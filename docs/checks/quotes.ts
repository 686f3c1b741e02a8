/**
 * A fenced block below the line `<!-- quoted from PATH -->` must contain consecutive lines of that file. A line with only `...` means
 * omitted lines.
 */
import { type Block, readMarkdown } from "./markdown.ts";
import { documentsOf, exists, type Tree } from "./tree.ts";

const mark = /^<!-- quoted from (\S+) -->$/;

/** One line for each quotation that differs from its file. */
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
  if (!exists(tree, path)) return `quotes ${path}, which does not exist`;
  // Line breaks on both sides, so that only whole lines match.
  let rest = `\n${tree.read(path)}`;
  for (const part of block.lines.join("\n").split("\n...\n")) {
    const at = rest.indexOf(`\n${part}\n`);
    if (at < 0) return `differs from ${path}`;
    rest = rest.slice(at + part.length + 1);
  }
  return undefined;
}
