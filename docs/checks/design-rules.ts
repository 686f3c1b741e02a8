/** A rule that a comment, a test name or a document cites ("design-sip rule 3", "design-kubernetes rules 4 and 6") must exist in its page. */
import type { Tree } from "./tree.ts";

/** The name of a page and its rules. A citation may continue on the next line of a comment. */
const citation =
  /\bdesign-(sip|kubernetes)(?:, "Words" and)?[\s*]+rules?[\s*]+(\d+(?:(?:,|,? and| to)[\s*]+\d+)*)/gi;

/** One line for each citation of a rule that its page does not have. */
export function missingRules(tree: Tree): string[] {
  const rules = {
    sip: rulesOf(tree, "docs/design-sip.md"),
    kubernetes: rulesOf(tree, "docs/design-kubernetes.md"),
  };
  return tree.files
    .filter((path) => /\.(ts|mjs|md)$/.test(path) && path !== "test/guards/docs.test.ts")
    .flatMap((path) => {
      const text = tree.read(path);
      return [...text.matchAll(citation)].flatMap(({ index, 1: page = "", 2: cited = "" }) => {
        const name = page.toLowerCase() === "sip" ? "sip" : "kubernetes";
        const line = text.slice(0, index).split("\n").length;
        return [...cited.matchAll(/\d+/g)]
          .filter(([rule]) => !rules[name].has(rule))
          .map(([rule]) => `${path}:${line}: docs/design-${name}.md has no rule ${rule}`);
      });
    });
}

const rulesOf = (tree: Tree, path: string): ReadonlySet<string> =>
  new Set([...tree.read(path).matchAll(/^(\d+)\. /gm)].map(([, rule = ""]) => rule));
