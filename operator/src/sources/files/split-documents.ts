/**
 * The documents of a file as kubectl cuts it: at each line that begins with `---`, wherever it stands. After the dashes only a comment may
 * follow. What is between two such lines may be empty. Pure.
 */

export interface DocumentText {
  readonly text: string;
  /** The line of the file on which it begins, counted from 1. */
  readonly firstLine: number;
  /** What stands where only a comment may, on the line before; the document is unreadable for that. */
  readonly problem?: string;
}

/** In their order. A byte order mark at the start of a document is left out, and every end of a line is `\n`. */
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
