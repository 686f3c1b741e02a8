/**
 * Checks `docs/rfc-map.md` against the code. Under a heading with an RFC each row has: sections, their subject, files (from
 * `sip-node/src/`; files of other programs from the root), yes, partly or no, and the cause if not all is done.
 */
import { type Citation, citations } from "./citations.ts";
import { cellsOf, codeIn, readMarkdown } from "./markdown.ts";
import { exists, type Tree } from "./tree.ts";

export const rfcMapPath = "docs/rfc-map.md";

interface MapRow {
  readonly number: number;
  readonly rfc: string;
  readonly sections: readonly string[];
  readonly files: readonly string[];
  readonly state: string;
  readonly why: string;
}

const states = ["yes", "partly", "no"];

/** One line for each wrong row and each citation without a row. */
export function rfcMapProblems(tree: Tree): string[] {
  const { rows, problems } = readRows(tree.read(rfcMapPath));
  const uncovered = citations(tree).filter((citation) => !isCovered(citation, rows));
  return [
    ...problems,
    ...rows.flatMap((row) => problemsOf(row, tree)),
    ...uncovered.map(({ file, number, rfc, section }) => {
      const what = section === undefined ? `RFC ${rfc}` : `RFC ${rfc} §${section}`;
      return `${rfcMapPath}: ${file}:${number} cites ${what}, but no row of that section lists the file`;
    }),
  ];
}

/** A row of a section covers its subsections. A citation of an RFC without a section needs only the heading. */
const isCovered = ({ rfc, section, file }: Citation, rows: readonly MapRow[]): boolean =>
  rows.some(
    (row) =>
      row.rfc === rfc &&
      (section === undefined ||
        (row.files.includes(file) &&
          row.sections.some((of) => section === of || section.startsWith(`${of}.`)))),
  );

function problemsOf(row: MapRow, tree: Tree): string[] {
  const { number, files, state, why } = row;
  const place = `${rfcMapPath}:${number}`;
  const paths = files.map((file) => (/^(operator|cli|crds)\//.test(file) ? file : `sip-node/src/${file}`));
  return [
    ...paths.filter((path) => !exists(tree, path)).map((path) => `${place}: there is no ${path}`),
    ...(states.includes(state) ? [] : [`${place}: "${state}" is none of ${states.join(", ")}`]),
    ...(state !== "no" && files.length === 0 ? [`${place}: "${state}" without a file`] : []),
    ...(state !== "yes" && why === "" ? [`${place}: "${state}" without a reason`] : []),
  ];
}

function readRows(text: string): { readonly rows: readonly MapRow[]; readonly problems: readonly string[] } {
  const rows: MapRow[] = [];
  const problems: string[] = [];
  let rfc: string | undefined;
  for (const { number, text: line } of readMarkdown(text).prose) {
    if (line.startsWith("## ")) rfc = /^## RFC (\d+)/.exec(line)?.[1];
    const cells = cellsOf(line);
    if (rfc === undefined || cells === undefined || cells[0] === "section") continue;
    const [sections = "", , files = "", state = "", why] = cells;
    if (why === undefined || cells.length !== 5)
      problems.push(`${rfcMapPath}:${number}: expected 5 columns, found ${cells.length}`);
    else rows.push({ number, rfc, sections: sections.split(/, */), files: codeIn(files), state, why });
  }
  return { rows, problems };
}
