/** Problems of YAML files: the place, the problem, and the expected value. */

/** Keys and list indexes from the root of a document. */
export type Path = readonly (string | number)[];

/** A field of an object that is invalid, and the reason. */
export interface FieldError {
  readonly path: Path;
  readonly message: string;
}

export interface Problem {
  readonly file: string;
  /** The first line is 1. */
  readonly line: number;
  readonly message: string;
}

/** All problems as one text, one line for each. */
export const report = (problems: readonly Problem[]): string =>
  problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join("\n");

/** Sorts by file and line. */
export const byFileAndLine = (a: Problem, b: Problem): number =>
  a.file.localeCompare(b.file) || a.line - b.line;
