/** The RFC sections that the comments of the programs cite. */
import type { Tree } from "./tree.ts";

export interface Citation {
  /** A path from `sip-node/src/` for files in it, otherwise from the root. */
  readonly file: string;
  /** Of the line, from 1. */
  readonly number: number;
  readonly rfc: string;
  /** Without the sign; undefined if a comment names only the RFC. */
  readonly section: string | undefined;
}

const node = "sip-node/src/";
const folders = [node, "operator/src/", "cli/src/"];
/** A section without an RFC belongs to the last RFC in the same paragraph of the comment, or else to this one. */
const usual = "3261";
/** Comments name it because of its clients, which still exist. Its sections are not cited. */
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

/** The part of a line that is a comment; undefined if there is none. */
function commentOf(line: string, isInside: boolean): string | undefined {
  if (isInside) return line;
  const at = /(^|\s)\/[/*]/.exec(line);
  return at === null ? undefined : line.slice(at.index);
}
