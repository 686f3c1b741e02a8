/**
 * Splits a file into documents as kubectl does: at every line that begins with `---`, also inside a block scalar. After the dashes only a
 * comment may follow. A document may be empty. Pure.
 */

export interface DocumentText {
  readonly text: string;
  /** The line of the file on which it begins; the first line is 1. */
  readonly firstLine: number;
  /** The line before the document has text after the dashes; the document cannot be read. */
  readonly problem?: string;
}

/** In the order of the file. A byte order mark at the start of a document is removed, and every line end becomes `\n`. */
export function splitDocuments(file: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let lines: string[] = [];
  let firstLine = 1;
  let problem: string | undefined;
  const close = (): void => {
    const text = lines.join("\n").replace(/^\ufeff/, "");
    documents.push({ text: text.replaceAll("\r", "\n"), firstLine, ...(problem && { problem }) });
  };
  for (const [index, line] of file.split(/\r?\n/).entries()) {
    if (!line.replace(/^\ufeff/, "").startsWith("---")) {
      lines.push(line);
      continue;
    }
    close();
    const rest = line.slice(line.indexOf("---") + 3).trim();
    problem = rest === "" || rest.startsWith("#") ? undefined : "after --- only a comment may follow";
    lines = [];
    firstLine = index + 2;
  }
  close();
  return documents;
}
