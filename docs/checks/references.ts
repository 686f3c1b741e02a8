/** Links, file paths and npm scripts in the documents must exist. */
import { posix } from "node:path";
import { codeIn, type Line, readMarkdown } from "./markdown.ts";
import { documentsOf, exists, type Tree } from "./tree.ts";

/** Folders where a path in back-quotes may start, in addition to the root and the document's folder: folders are named without their program. */
const bases = ["", "sip-node/src", "operator/src", "cli/src"];

/** One line for each broken reference. */
export function brokenReferences(tree: Tree): string[] {
  const scripts = new Set(
    Object.keys((JSON.parse(tree.read("package.json")) as { scripts: object }).scripts),
  );
  return documentsOf(tree).flatMap((document) => {
    const text = tree.read(document);
    const { prose } = readMarkdown(text);
    const lines = text.split("\n").map((line, i): Line => ({ number: i + 1, text: line }));
    return [
      ...prose.flatMap((line) => brokenLinks(tree, document, line)),
      ...prose.flatMap((line) => missingPaths(tree, document, line)),
      ...lines.flatMap((line) => unknownScripts(scripts, document, line)),
    ];
  });
}

function brokenLinks(tree: Tree, document: string, { number, text }: Line): string[] {
  const targets = [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
  return targets.flatMap((target) => {
    if (/^(https?|mailto):/.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? document : posix.normalize(posix.join(posix.dirname(document), path));
    if (!exists(tree, file)) return [`${document}:${number}: the link ${target} points to no file`];
    if (anchor === undefined || anchorsOf(tree, file).includes(anchor)) return [];
    return [`${document}:${number}: ${file} has no heading #${anchor}`];
  });
}

/** The anchors that GitHub makes from headings. */
const anchorsOf = (tree: Tree, file: string): string[] =>
  readMarkdown(tree.read(file))
    .prose.filter(({ text }) => /^#+ /.test(text))
    .map(({ text }) =>
      text
        .replace(/^#+ /, "")
        .toLowerCase()
        .replace(/[^\w\s-]/g, "")
        .replace(/ /g, "-"),
    );

function missingPaths(tree: Tree, document: string, { number, text }: Line): string[] {
  const roots = new Set(tree.files.map((file) => file.split("/")[0]));
  return codeIn(text)
    .filter((code) => isPath(code, roots))
    .filter(
      (path) =>
        !exists(tree, posix.normalize(posix.join(posix.dirname(document), path))) &&
        !bases.some((base) => exists(tree, posix.join(base, path))),
    )
    .map((path) => `${document}:${number}: there is no ${path}`);
}

/** A text with a slash that has a known file ending or starts with a folder of the root; `sip:...`, URLs and `*` are not paths. */
function isPath(code: string, roots: ReadonlySet<string | undefined>): boolean {
  if (!/^[\w.-]+(\/[\w.@-]+)*\/?$/.test(code) || !code.includes("/") || code.startsWith(".strowger"))
    return false;
  return /\.(ts|mjs|md|sql|ya?ml|xml|json)$/.test(code) || roots.has(code.split("/")[0]);
}

function unknownScripts(scripts: ReadonlySet<string>, document: string, { number, text }: Line): string[] {
  const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)|\bnode --run ([\w:-]+)/g)];
  return named
    .map((match) => match[1] ?? match[2] ?? match[3] ?? "")
    .filter((script) => !scripts.has(script))
    .map((script) => `${document}:${number}: package.json has no script ${script}`);
}
