/** Which sections of which RFC the comments of the programs cite. */
import type { Tree } from "./tree.ts";

export interface Citation {
  /** From `sip-node/src/` where it is there, else from the root. */
  readonly file: string;
  /** Of the line, from 1. */
  readonly number: number;
  readonly rfc: string;
  /** Without the sign; undefined where a comment names the RFC alone. */
  readonly section: string | undefined;
}

const node = "sip-node/src/";
const folders = [node, "operator/src/", "cli/src/"];
/** A section without an RFC belongs to the last one named in the same paragraph of the comment, else to this. */
const usual = "3261";
/** Named for its clients, which are still about; nobody cites its sections. */
const old = "2543";

/** In the order of files and lines. */
export function citations(tree: Tree): Citation[] {
  return tree.files
    .filter((path) => folders.some((folder) => path.startsWith(folder)))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .flatMap((path) => ofFile(path.startsWith(node) ? path.slice(node.length) : path, tree.read(path)));
}

function ofFile(file: string, text: string): Citation[] {
  const found: Citation[] = [];
  let rfc = usual;
  let isInside = false;
  text.split("\n").forEach((line, i) => {
    const comment = commentOf(line, isInside);
    isInside = isInside ? !line.includes("*/") : /\/\*(?!.*\*\/)/.test(line);
    if (comment === undefined || /^\s*\*$/.test(comment)) {
      rfc = usual;
      return;
    }
    for (const [, named, section] of comment.matchAll(/RFC (\d{4})|§(\d+(?:\.\d+)*)/g)) {
      if (named !== undefined && named !== old) rfc = named;
      if (named !== old) found.push({ file, number: i + 1, rfc, section });
    }
  });
  return found;
}

/** The comment's part of a line; undefined where there is none. */
function commentOf(line: string, isInside: boolean): string | undefined {
  if (isInside) return line;
  const at = /(^|\s)\/[/*]/.exec(line);
  return at === null ? undefined : line.slice(at.index);
}
