/**
 * What YAML means to kubectl (sigs.k8s.io/yaml). test/golden/yaml.test.ts holds the files source against this table,
 * test/parts/kube/kubectl-yaml.test.ts holds kubectl itself against it.
 */

/** The JSON value, and plain scalars that are it. */
export const scalars: readonly (readonly [unknown, ...string[]])[] = [
  [
    true,
    "true",
    "True",
    "TRUE",
    "yes",
    "Yes",
    "YES",
    "on",
    "On",
    "ON",
    "y",
    "Y",
    "!!bool yes",
    "!!bool 'on'",
  ],
  [false, "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"],
  [null, "~", "null", "Null", "NULL", "", "!!null ''"],
  [0, "0", "-0", "+0", "00", "0_", "0x0", "0.0", "0e1"],
  [
    7,
    "7",
    "+7",
    "07",
    "007",
    "0o7",
    "0O7",
    "+0o7",
    "0x7",
    "0X7",
    "0b111",
    "0B111",
    "7.0",
    "7.",
    "70e-1",
    "!!int '7'",
  ],
  [8, "8", "08", "010", "0o10", "0x8", "0b1000", "0b+1000", "8e0"],
  [-7, "-7", "-07", "-0o7", "-0x7", "-0b111", "0b-111"],
  [64, "0100", "64", "0x40"],
  [1000, "1000", "1_000", "1__000", "1_000_", "1e3", "1E3", "1e+3", "1_0e2", "0x3_e8", "0b11_1110_1000"],
  [1.5, "1.5", "+1.5", "1.50", "1_.5", "15e-1", "!!float 1.5"],
  [0.5, ".5", "+.5", "0.5", "5e-1", ".5e0"],
  [10.25, "10.25", "1_0.2_5"],
  [55.5, ".5_55e2"],
  [9007199254740991, "9007199254740991", "0x1fffffffffffff"],
  ["text", "text", "'text'", '"text"', "!!str text", "! text", "!!binary dGV4dA=="],
  ["yes", "'yes'", '"yes"', "!!str yes", "! yes"],
  ["2001-01-01", "2001-01-01", "!!timestamp 2001-01-01"],
  ["", "''", '""', "!!str"],
];

/** Plain scalars that are the text as it stands. */
export const texts: readonly string[] = [
  ..."e1 E10 .e1 e+1 +e1 -e1 . +. -. ._ ._5 .5_ _1 __ 1e 1e+ 1.2.3 1.2.3.4 127.0.0.1 1e400 -1e400".split(" "),
  ..."1:30 190:20:30 1:30.5 22:22 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z".split(" "),
  ..."0o8 0x 0xg 0b 0b2 0b1.5 0x10000000000000000 1,000 --1 +-1 +44-20-7946 1-2 1/2 1a 0d10".split(" "),
  ..."yEs nO tRue nUll None nil inf nan Infinity +Inf t f a:b a#b =".split(" "),
  "2001-12-14 21:59:43.10 -5",
  "+44 20 7946",
];

/** Scalars that kubectl refuses. */
export const refusedScalars: readonly string[] = [
  ...".inf .Inf +.INF -.inf .nan .NaN".split(" "),
  ..."!!int 1.5,!!int text,!!bool 1,!!float text,!!null text,!!binary x,!!timestamp text,!!float .inf".split(
    ",",
  ),
];

export interface DocumentCase {
  readonly what: string;
  readonly text: string;
  /** `data` of each object; undefined: kubectl refuses it. */
  readonly data: readonly unknown[] | undefined;
}

/** A ConfigMap, whose `data` are the lines. */
const map = (data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${data === "" ? "" : `data:\n${data}`}`;

const a = map("  a: x\n");
const b = map("  b: w\n");
const [isA, isB] = [{ a: "x" }, { b: "w" }];

const read = (what: string, text: string, ...data: readonly unknown[]): DocumentCase => ({
  what,
  text,
  data,
});
const refused = (what: string, text: string): DocumentCase => ({ what, text, data: undefined });

export const documents: readonly DocumentCase[] = [
  read("one that ends in ---", `${a}---\n`, isA),
  read("one that ends in --- without an end of line", `${a}---`, isA),
  read("one that begins with ---", `---\n${a}`, isA),
  read("several --- in a row", `---\n---\n${a}---\n---\n${b}---\n---\n`, isA, isB),
  read("comments alone between two ---", `# 1\n---\n# 2\n---\n${a}--- # 3\n\n${b}---\n# 4\n`, isA, isB),
  read("blank lines alone between two ---", `${a}\n\n---\n\n  \n---\n\n${b}\n---\n \n`, isA, isB),
  read("null between two ---", `${a}---\nnull\n---\n~\n---\n${b}`, isA, isB),
  read("blanks after ---", `${a}---  \t\n${b}`, isA, isB),
  read("a comment close after ---", `${a}---# b\n${b}`, isA, isB),
  read("one that ends in ...", `${a}...\n`, isA),
  read("... and --- after it", `${a}...\n---\n${b}...\n# end\n`, isA, isB),
  read("a byte order mark", `\ufeff${a}---\n${b}`, isA, isB),
  read("a byte order mark before ---", `\ufeff---\n${a}`, isA),
  read("a byte order mark after ---", `${a}---\n\ufeff${b}`, isA, isB),
  read("CRLF", `# c\r\n${`${a}---\n${b}---\n`.replaceAll("\n", "\r\n")}`, isA, isB),
  read("--- within a block of text ends it", `${map("  a: |\n    x\n")}---\n${b}`, { a: "x\n" }, isB),
  read("--- that is indented is text", map("  a: |\n    x\n    ---\n    y\n"), { a: "x\n---\ny\n" }),
  read(
    "JSON",
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: isA }),
    isA,
  ),
  read("lists and objects in brackets", map('  {"a":"x", "b": [v,\n  "w",], }\n'), { a: "x", b: ["v", "w"] }),
  read("an alias", map("  a: &x {c: x}\n  b: *x\n"), { a: { c: "x" }, b: { c: "x" } }),
  read("a merge key", map("  a: &x {c: 1}\n  b:\n    <<: *x\n    d: 2\n"), {
    a: { c: 1 },
    b: { c: 1, d: 2 },
  }),
  read("a merge key above the same field", map("  <<: {c: 1}\n  c: 2\n"), { c: 2 }),
  read("a merge key below the same field", map("  c: 2\n  <<: {c: 1}\n"), { c: 1 }),
  read("a merge key of several", map("  <<: [{c: 1}, {c: 2, d: 3}]\n"), { c: 1, d: 3 }),
  read("<< in quotes", map("  '<<': {c: 1}\n"), { "<<": { c: 1 } }),
  read("keys that are words or numbers", map("  yes: 1\n  n: 2\n  0x10: 3\n  '010': 4\n  010: 5\n"), {
    true: 1,
    false: 2,
    16: 3,
    "010": 4,
    8: 5,
  }),
  read("a tag on a list or an object", map("  a: !!set {b}\n  c: !!seq [d]\n"), { a: { b: null }, c: ["d"] }),
  refused("a value after ---", `--- ${a}`),
  refused("text after ---", `${a}--- text\n${b}`),
  refused("four dashes", `${a}----\n${b}`),
  refused("a directive", `%YAML 1.1\n---\n${a}`),
  refused("a directive after a comment", `# c\n%TAG ! tag:example.com,2000:\n---\n${a}`),
  refused("a control character", map('  a: "\u0007"\n')),
  refused("an alias without its anchor", map("  a: *x\n")),
  refused("an anchor that contains itself", map("  a: &x [*x]\n")),
  refused("<< of no object", map("  <<: x\n")),
  refused("a key that is null", map("  ~: x\n")),
  refused("a key that is a list", map("  ? [a]\n  : x\n")),
  refused("a tab as indentation", map("  a:\n\t  b: x\n")),
  refused("one bad document among good ones", `${a}---\na: [\n---\n${b}`),
];

/** What kubectl takes without a word and the files source refuses: whoever wrote it meant something else. */
export const refusedHere: readonly DocumentCase[] = [
  read("a key that is there twice, of which kubectl takes the last", map("  a: x\n  a: z\n"), { a: "z" }),
  read("a key that is there twice, spelled in two ways", map("  8: x\n  010: z\n"), { 8: "z" }),
  read("a document after ..., which kubectl leaves out", `${a}...\n${b}`, isA),
  read("a tag of one's own, which kubectl leaves out", map("  a: !x\n  b: !x y\n"), { a: "", b: "y" }),
  read("a byte order mark within a text", map("  a: x\ufeff\n"), { a: "x\ufeff" }),
  read("a key that is a fraction, which kubectl rounds", map("  1.00000001: x\n"), { 1: "x" }),
  read("a key whose zeros kubectl takes away", map("  0049: x\n"), { 49: "x" }),
];
