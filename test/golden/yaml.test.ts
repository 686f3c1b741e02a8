/** The table of test/golden/yaml against the files source. kubectl meets the same in test/parts/kube. */
import { expect, test } from "vitest";
import { parseDocuments } from "../../operator/src/sources/files/parse-documents.ts";
import { documents, refusedHere, refusedScalars, scalars, texts } from "./yaml/cases.ts";

const parse = (text: string) => {
  const { documents: found, problems } = parseDocuments("a.yaml", text);
  return problems.length > 0 ? undefined : found.map(({ value }) => value);
};

const dataOf = (text: string) => parse(text)?.map((value) => (value as { data?: unknown }).data);

test("a scalar is to the files source what it is to kubectl, as a value and as an item", () => {
  for (const [value, ...spellings] of [...scalars, ...texts.map((text) => [text, text] as const)])
    for (const spelling of spellings) {
      expect(parse(`v: ${spelling}\n`), spelling).toEqual([{ v: value }]);
      expect(parse(`- ${spelling}\n`), spelling).toEqual([[value]]);
    }
});

test("in quotes every word is a text", () => {
  for (const [, ...spellings] of scalars)
    for (const spelling of spellings.filter((each) => !/['"!]/.test(each))) {
      expect(parse(`v: '${spelling}'\n`), spelling).toEqual([{ v: spelling }]);
      expect(parse(`v: |-\n  ${spelling}\n`), spelling).toEqual([{ v: spelling }]);
    }
});

test("what no JSON can say, and a tag that does not fit, is refused and not quoted", () => {
  for (const scalar of refusedScalars) {
    const { problems } = parseDocuments("a.yaml", `# c\nv: ${scalar}\n`);
    expect(
      problems.map(({ line }) => line),
      scalar,
    ).toEqual([2]);
    expect(problems[0]?.message, scalar).toMatch(/^invalid YAML: a value /);
    expect(problems[0]?.message.includes(scalar), scalar).toBe(false);
  }
});

test.for(documents.map((each) => [each.what, each] as const))("documents: %s", ([, { text, data }]) => {
  expect(dataOf(text)).toEqual(data);
});

test.for(refusedHere.map((each) => [each.what, each] as const))("refused here: %s", ([, { text }]) => {
  expect(dataOf(text)).toBeUndefined();
});

test("a problem and a path name the line of the file, whichever document they are in", () => {
  const text = "# c\r\n---\r\n\r\n---\r\na:\r\n  b: x\r\n---\r\nc: .inf\r\n";
  expect(parseDocuments("a.yaml", text).problems.map(({ line }) => line)).toEqual([8]);
  const [, second] = parseDocuments("a.yaml", text.replace(".inf", "x")).documents;
  expect(second?.lineOf(["c"])).toBe(8);
  const [first] = parseDocuments("a.yaml", text.replace(".inf", "x")).documents;
  expect(first?.lineOf(["a", "b"])).toBe(6);
});

test("a copy of an alias is a value of its own", () => {
  const [value] = parse("a: &x {b: 1}\nc: *x\n") as [{ a: object; c: object }];
  expect(value.c).toEqual(value.a);
  expect(value.c).not.toBe(value.a);
});
