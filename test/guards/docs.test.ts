/** `npm run docs:check` checks the documents. Here each of its checks must fail for a wrong document. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { staleBenchmarksPage } from "../../docs/checks/benchmarks-page.ts";
import { missingRules } from "../../docs/checks/design-rules.ts";
import { metricsPage, metricsPath } from "../../docs/checks/metrics-page.ts";
import { staleQuotes } from "../../docs/checks/quotes.ts";
import { reasonProblems } from "../../docs/checks/reasons.ts";
import { brokenReferences } from "../../docs/checks/references.ts";
import { rfcMapPath, rfcMapProblems } from "../../docs/checks/rfc-map.ts";
import { readTree, type Tree, withFiles } from "../../docs/checks/tree.ts";
import { droppedWordProblems } from "../../docs/checks/words.ts";
import { documentProblems } from "../../docs/check.ts";
import { everyReason } from "../../operator/src/runtime/reason.ts";

const tree = readTree(join(import.meta.dirname, "../.."));
const replaced = (path: string, from: string | RegExp, to: string): Tree => {
  const text = tree.read(path);
  expect(text).toMatch(from);
  return withFiles(tree, { [path]: text.replace(from, to) });
};
const note = (text: string): Tree => withFiles(tree, { "docs/note.md": text });

test("the documents are as the code says", () => {
  expect(documentProblems(tree)).toEqual([]);
});

describe("docs/metrics.md", () => {
  test("an edited line is stale", () => {
    expect(
      documentProblems(withFiles(tree, { [metricsPath]: metricsPage().replace("| counter |", "| gauge |") })),
    ).toEqual(["docs/metrics.md is outdated: npm run docs:write"]);
  });

  test("names metrics of both programs, with their labels and without those of Node.js", () => {
    expect(metricsPage()).toContain("| `strowger_sip_responses_total` | counter | `method`, `code` |");
    expect(metricsPage()).toContain("| `strowger_database_seconds` | histogram | `statement` |");
    expect(metricsPage()).toContain("| `workqueue_depth` | gauge | `name` |");
    expect(metricsPage()).not.toContain("| `nodejs_");
  });
});

describe("docs/benchmarks.md", () => {
  test("an edited number and an added row do not come from the results", () => {
    const edited = [/not measured|met/, "nearly met"] as const;
    for (const [from, to] of [edited, [/^## Goals$/m, "## Aims"] as const])
      expect(staleBenchmarksPage(replaced("docs/benchmarks.md", from, to))).toEqual([
        "docs/benchmarks.md has not the form that test/bench/page.ts writes: npm run bench -- --write --from docs/benchmarks.json",
      ]);
  });
});

describe("docs/rfc-map.md", () => {
  test("a citation without a row, with the line that cites", () => {
    const cited = withFiles(tree, {
      "sip-node/src/wire/new.ts": "/**\n * As RFC 3261 §27.1 and §10.3 say; RFC 4320 §4.2.\n */\n",
    });
    expect(rfcMapProblems(cited)).toEqual([
      "docs/rfc-map.md: wire/new.ts:2 cites RFC 3261 §27.1, but no row of that section lists the file",
      "docs/rfc-map.md: wire/new.ts:2 cites RFC 3261 §10.3, but no row of that section lists the file",
      "docs/rfc-map.md: wire/new.ts:2 cites RFC 4320 §4.2, but no row of that section lists the file",
    ]);
  });

  test("other programs cite too, and are named from the root", () => {
    const cited = withFiles(tree, { "operator/src/sip-domain/new.ts": "/** RFC 3261 §27.1 */\n" });
    expect(rfcMapProblems(cited)).toEqual([
      "docs/rfc-map.md: operator/src/sip-domain/new.ts:1 cites RFC 3261 §27.1, but no row of that section lists the file",
    ]);
  });

  test("a section in a string is no citation, one in a comment behind code is", () => {
    const code = 'const source = "RFC 3261 §27.2";\ncall(); // §27.3\n';
    expect(rfcMapProblems(withFiles(tree, { "sip-node/src/wire/new.ts": code }))).toEqual([
      "docs/rfc-map.md: wire/new.ts:2 cites RFC 3261 §27.3, but no row of that section lists the file",
    ]);
  });

  test("a row covers what is beneath its section, and no other section that begins alike", () => {
    const code = "/** §19.1.1 and §19.10 */\n";
    expect(rfcMapProblems(withFiles(tree, { "sip-node/src/wire/uri.ts": code }))).toEqual([
      "docs/rfc-map.md: wire/uri.ts:1 cites RFC 3261 §19.10, but no row of that section lists the file",
    ]);
  });

  test("a file that is gone", () => {
    const [problem] = rfcMapProblems(replaced(rfcMapPath, "`proxy/build-cancel.ts`", "`proxy/cancel.ts`"));
    expect(problem).toMatch(/^docs\/rfc-map.md:\d+: there is no sip-node\/src\/proxy\/cancel.ts$/);
  });

  test.each([
    ["| 19.3 | tags | `node.ts` | no | |", /"no" without a reason/],
    ["| 19.3 | tags | | yes | |", /"yes" without a file/],
    ["| 19.3 | tags | `node.ts` | maybe | later |", /"maybe" is none of yes, partly, no/],
    ["| 19.3 | tags | `node.ts` | yes |", /expected 5 columns, found 4/],
  ])("%s", (row, problem) => {
    expect(rfcMapProblems(replaced(rfcMapPath, /^\| 19\.3 .*$/m, row)).join("\n")).toMatch(problem);
  });
});

describe("references", () => {
  test.each([
    ["a [link](nowhere.md)", "docs/note.md:1: the link nowhere.md points to no file"],
    ["a [link](rfc-map.md#not-here)", "docs/note.md:1: docs/rfc-map.md has no heading #not-here"],
    ["`proxy/nothing.ts`", "docs/note.md:1: there is no proxy/nothing.ts"],
    ["`sip-node/src/nothing/`", "docs/note.md:1: there is no sip-node/src/nothing/"],
    ["```\nnpm run nothing\n```", "docs/note.md:2: package.json has no script nothing"],
  ])("%s", (text, problem) => {
    expect(brokenReferences(note(text))).toEqual([problem]);
  });

  test("what is there, and what is no path", () => {
    const text =
      "[map](rfc-map.md#not-implemented), `proxy/proxy.ts`, `docs/`, `sip.strowger.dev/v1alpha1`, `.strowger/logs/`, npm test";
    expect(brokenReferences(note(text))).toEqual([]);
  });
});

describe("rules of the design", () => {
  test("one that its page does not have, alone, in a list and on the next line of a comment", () => {
    const code =
      "/** design-sip rule 99; design-kubernetes rules 4, 6 and\n * 98 */\n/** As design-sip\n * rule 97. */\n";
    expect(missingRules(withFiles(tree, { "cli/src/new.ts": code }))).toEqual([
      "cli/src/new.ts:1: docs/design-sip.md has no rule 99",
      "cli/src/new.ts:1: docs/design-kubernetes.md has no rule 98",
      "cli/src/new.ts:3: docs/design-sip.md has no rule 97",
    ]);
  });

  test("one that a page has lost", () => {
    expect(missingRules(replaced("docs/design-sip.md", /^21\. /m, "")).join("\n")).toMatch(
      /^sip-node\/src\/cluster\/hand-over\.ts:\d+: docs\/design-sip\.md has no rule 21$/m,
    );
  });
});

describe("quotations", () => {
  const quote = (...lines: string[]) =>
    note(["<!-- quoted from examples/cluster.yaml -->", "```yaml", ...lines, "```"].join("\n"));

  test("lines as they stand, with some left out", () => {
    expect(staleQuotes(quote("kind: SipCluster", "...", "spec:", "  replicas: 2"))).toEqual([]);
  });

  test.each([
    ["kind: SipClusters"],
    ["kind: SipClus"],
    ["replicas: 2"],
    ["kind: SipClus\n...\nspec:"],
    ["spec:\n...\nkind: SipCluster"],
    ["  replicas: 3"],
  ])("%j", (lines) => {
    expect(staleQuotes(quote(lines))).toEqual(["docs/note.md:2: differs from examples/cluster.yaml"]);
  });

  test("of a file that is gone", () => {
    expect(staleQuotes(note("<!-- quoted from gone.yaml -->\n```\nx\n```"))).toEqual([
      "docs/note.md:2: quotes gone.yaml, which does not exist",
    ]);
  });
});

describe("reasons of conditions and Events", () => {
  const line = /^- `RangesUnknown`: .*\n/m;

  test("one that no page explains", () => {
    expect(reasonProblems(replaced("docs/runbooks/condition-Reachable.md", line, ""))).toEqual([
      "docs/runbooks: no condition-*.md or events.md explains the reason RangesUnknown",
    ]);
  });

  test("one that is explained and that nothing gives, in a list and in a table", () => {
    const gone = "- `Gone`, `AddressKnown` (`True`): see `Other`.\n\n| `Lost`, `Conflict` | see `Third` |\n";
    expect(reasonProblems(withFiles(tree, { "docs/runbooks/condition-New.md": gone }))).toEqual([
      "docs/runbooks/condition-New.md:1: Gone is not a reason in operator/src/runtime/reason.ts",
      "docs/runbooks/condition-New.md:3: Lost is not a reason in operator/src/runtime/reason.ts",
    ]);
  });

  test("one that is listed, and that neither code nor a page has", () => {
    expect(reasonProblems(tree, [...everyReason, "Invented"])).toEqual([
      "docs/runbooks: no condition-*.md or events.md explains the reason Invented",
      "operator/src/runtime/reason.ts: no code uses the reason Invented",
    ]);
  });
});

describe("dropped words", () => {
  const words = { wizard: "administrator", "or so": "about" };
  const problems = (path: string, text: string): string[] =>
    droppedWordProblems({ files: [path], read: () => text }, words);

  test("in a document, in any case and across a line break", () => {
    expect(problems("docs/note.md", "The Wizard waits 5 s or\nso.\n")).toEqual([
      'docs/note.md:1: do not write "wizard", but: administrator',
      'docs/note.md:1: do not write "or so", but: about',
    ]);
  });

  test("in a comment, and not in code", () => {
    const code = 'const wizard = "wizard"; // a wizard\n/**\n * It waits 5 s, or\n * so.\n */\n';
    expect(problems("cli/src/new.ts", code)).toEqual([
      'cli/src/new.ts:1: do not write "wizard", but: administrator',
      'cli/src/new.ts:3: do not write "or so", but: about',
    ]);
  });

  test("in YAML", () => {
    expect(problems("crds/new.yaml", "# a wizard\ndescription: 5 s or so\n")).toHaveLength(2);
  });

  test("a part of a word and code in back-quotes are allowed", () => {
    expect(problems("docs/note.md", "wizardry, `wizard`, or-so\n```\nwizard\n```\n")).toEqual([]);
  });
});
