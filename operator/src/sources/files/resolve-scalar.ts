/**
 * The value of a YAML scalar by the rules of kubectl, which uses sigs.k8s.io/yaml (go-yaml 2): the words of YAML 1.1, Go's integers
 * (`0o17`, `0x1F`, `0b11`, `017`, `1_000`) and decimal fractions. Everything else is a string, also dates and numbers of base 60. Pure.
 */

export type Scalar = string | number | boolean | null;

/** The reason why kubectl refuses a scalar. It never quotes the scalar, which may be a password. */
export interface ScalarProblem {
  readonly problem: string;
}

/** A scalar of the parser. */
export interface ScalarSource {
  readonly text: string;
  /** Without quotes, and not a block scalar. */
  readonly isPlain: boolean;
  /** For example `tag:yaml.org,2002:int`; undefined if there is none. */
  readonly tag: string | undefined;
}

const words: ReadonlyMap<string, boolean | null | number> = new Map<string, boolean | null | number>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word): [string, boolean] => [word, true],
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word): [string, boolean] => [word, false],
  ),
  ...["", "~", "null", "Null", "NULL"].map((word): [string, null] => [word, null]),
  ...[".nan", ".NaN", ".NAN"].map((word): [string, number] => [word, NaN]),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((word): [string, number] => [word, Infinity]),
  ...["-.inf", "-.Inf", "-.INF"].map((word): [string, number] => [word, -Infinity]),
]);

/** The prefix of YAML's own tags (`!!int`). */
export const coreTag = "tag:yaml.org,2002:";

/** A number is finite. An integer above 2^53 becomes the nearest number. */
export function resolveScalar({ text, isPlain, tag }: ScalarSource): Scalar | ScalarProblem {
  if (tag === undefined) return isPlain ? requireFinite(resolvePlain(text)) : text;
  switch (tag.slice(coreTag.length)) {
    case "binary":
      return decodeBase64(text);
    case "timestamp":
      return /^\d{4}-\d\d?-\d\d?([Tt ]\d\d?:\d\d?:\d.*)?$/.test(text) ? text : wrongTag("a date");
    case "bool":
      return resolveTagged("boolean", "true or false", text);
    case "int":
      return integerOf(text.replaceAll("_", "")) ?? wrongTag("a whole number");
    case "float":
      return resolveTagged("number", "a number", text);
    case "null":
      return resolvePlain(text) === null ? null : wrongTag("null");
    default:
      return text;
  }
}

/** The string of a scalar that is the key of an object. */
export function resolveKey(source: ScalarSource): string | ScalarProblem {
  const resolved = resolveScalar(source);
  if (typeof resolved === "object")
    return resolved ?? { problem: "a key is null; put it in quotes if it is a name" };
  if (typeof resolved !== "number") return String(resolved);
  // Go formats fractions differently, and integers above 2^53 are not exact here.
  return integerOf(source.text.replaceAll("_", "")) !== undefined && Number.isSafeInteger(resolved)
    ? String(resolved)
    : { problem: "a key is a number; put it in quotes" };
}

function resolvePlain(text: string): Scalar {
  const word = words.get(text);
  if (word !== undefined) return word;
  // After a leading dot Go accepts underscores only between digits. After a digit or a sign it accepts them everywhere.
  if (text.startsWith(".")) return floatOf(text.replace(/(?<=[0-9])_(?=[0-9])/g, "")) ?? text;
  if (!/^[-+0-9]/.test(text)) return text;
  const digits = text.replaceAll("_", "");
  return integerOf(digits) ?? floatOf(digits) ?? text;
}

/** Go's `strconv.ParseInt` with base 0 and 64 bits; without a sign also `strconv.ParseUint`. */
function integerOf(text: string): number | undefined {
  const [, before = "", prefix = "", after = "", digits = ""] =
    /^([-+]?)(0[xX](?=[0-9a-fA-F]+$)|0[oO]?(?=[0-7]+$)|0[bB](?=[-+]?[01]+$)|)([-+]?)([0-9a-fA-F]+)$/.exec(
      text,
    ) ?? [];
  if (digits === "" || (prefix === "" && !/^(0|[1-9][0-9]*)$/.test(digits))) return undefined;
  // A sign after the prefix is accepted only for `0b`, and only if there is none before the prefix.
  if (after !== "" && (before !== "" || prefix !== "0b")) return undefined;
  const radix = prefix === "0" ? "0o" : prefix;
  const value = BigInt(radix + digits) * (before === "-" || after === "-" ? -1n : 1n);
  const most = before === "" && after === "" ? 2n ** 64n - 1n : 2n ** 63n - 1n;
  return value <= most && value >= -(2n ** 63n) ? Number(value) : undefined;
}

function floatOf(text: string): number | undefined {
  const value = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

function resolveTagged(type: "boolean" | "number", what: string, text: string): Scalar | ScalarProblem {
  const value = resolvePlain(text);
  return typeof value === type ? requireFinite(value) : wrongTag(what);
}

function decodeBase64(text: string): string | ScalarProblem {
  const base64 = text.replace(/[\r\n]/g, "");
  return base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64)
    ? Buffer.from(base64, "base64").toString("utf8")
    : wrongTag("base64");
}

const requireFinite = (value: Scalar): Scalar | ScalarProblem =>
  typeof value === "number" && !Number.isFinite(value)
    ? { problem: "a value is not a finite number; put it in quotes if it is a text" }
    : value;

const wrongTag = (what: string): ScalarProblem => ({
  problem: `a value is tagged as ${what}, but is not one`,
});
