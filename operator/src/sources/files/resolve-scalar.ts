/**
 * What a scalar of YAML means to kubectl, which reads with sigs.k8s.io/yaml (go-yaml 2): the words of YAML 1.1, the integers of Go
 * (`0o17`, `0x1F`, `0b11`, `017`, `1_000`), decimal fractions, and nothing else; dates and numbers of base 60 are text. Pure.
 */

export type Scalar = string | number | boolean | null;

/** A scalar that kubectl refuses: why. Never quotes it, because it may be a password. */
export interface Unreadable {
  readonly problem: string;
}

/** As the parser gives it. */
export interface ScalarSource {
  readonly text: string;
  /** Neither in quotes nor a block. */
  readonly isPlain: boolean;
  /** `tag:yaml.org,2002:int`; undefined where none is written. */
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

/** How the tags of YAML itself (`!!int`) begin. */
export const coreTag = "tag:yaml.org,2002:";

/** A number is finite; an integer beyond 2^53 is the nearest number. */
export function resolveScalar({ text, isPlain, tag }: ScalarSource): Scalar | Unreadable {
  if (tag === undefined) return isPlain ? inJson(resolvePlain(text)) : text;
  switch (tag.slice(coreTag.length)) {
    case "binary":
      return decoded(text);
    case "timestamp":
      return /^\d{4}-\d\d?-\d\d?([Tt ]\d\d?:\d\d?:\d.*)?$/.test(text) ? text : isNot("a date");
    case "bool":
      return expected("boolean", "true or false", text);
    case "int":
      return integerOf(text.replaceAll("_", "")) ?? isNot("a whole number");
    case "float":
      return expected("number", "a number", text);
    case "null":
      return resolvePlain(text) === null ? null : isNot("null");
    default:
      return text;
  }
}

/** The text that a scalar is as the key of an object. */
export function resolveKey(source: ScalarSource): string | Unreadable {
  const resolved = resolveScalar(source);
  if (typeof resolved === "object")
    return resolved ?? { problem: "a key is null; put it in quotes if it is a name" };
  if (typeof resolved !== "number") return String(resolved);
  // Go writes a fraction in its own way, and whole numbers beyond 2^53 are not exact here.
  return integerOf(source.text.replaceAll("_", "")) !== undefined && Number.isSafeInteger(resolved)
    ? String(resolved)
    : { problem: "a key is a number; put it in quotes" };
}

function resolvePlain(text: string): Scalar {
  const word = words.get(text);
  if (word !== undefined) return word;
  // Go takes underscores between digits only here, and anywhere in what begins with a digit or a sign.
  if (text.startsWith(".")) return floatOf(text.replace(/(?<=[0-9])_(?=[0-9])/g, "")) ?? text;
  if (!/^[-+0-9]/.test(text)) return text;
  const digits = text.replaceAll("_", "");
  return integerOf(digits) ?? floatOf(digits) ?? text;
}

/** Go's `strconv.ParseInt` of base 0; of 64 bits, without a sign also the upper half of those. */
function integerOf(text: string): number | undefined {
  const [, before = "", prefix = "", after = "", digits = ""] =
    /^([-+]?)(0[xX](?=[0-9a-fA-F]+$)|0[oO]?(?=[0-7]+$)|0[bB](?=[-+]?[01]+$)|)([-+]?)([0-9a-fA-F]+)$/.exec(
      text,
    ) ?? [];
  if (digits === "" || (prefix === "" && !/^(0|[1-9][0-9]*)$/.test(digits))) return undefined;
  // Only after `0b` a second sign passes, and only where none stands before.
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

function expected(type: "boolean" | "number", what: string, text: string): Scalar | Unreadable {
  const value = resolvePlain(text);
  return typeof value === type ? inJson(value) : isNot(what);
}

function decoded(text: string): string | Unreadable {
  const base64 = text.replace(/[\r\n]/g, "");
  return base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64)
    ? Buffer.from(base64, "base64").toString("utf8")
    : isNot("base64");
}

const inJson = (value: Scalar): Scalar | Unreadable =>
  typeof value === "number" && !Number.isFinite(value)
    ? { problem: "a value is no finite number; put it in quotes if it is a text" }
    : value;

const isNot = (what: string): Unreadable => ({ problem: `a value has the tag of ${what} and is none` });
