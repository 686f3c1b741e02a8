/** What is wrong with a file that a person wrote: where, what, and what was expected. */

/** Keys and list positions from a document's root. */
export type Path = readonly (string | number)[];

/** Why an object is refused, and which of its fields says so. */
export interface Refusal {
  readonly path: Path;
  readonly message: string;
}

export interface Problem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** All problems as one report, a line each. */
export const report = (problems: readonly Problem[]): string =>
  problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join("\n");

/** The order of files and lines. */
export const byPlace = (a: Problem, b: Problem): number => a.file.localeCompare(b.file) || a.line - b.line;
