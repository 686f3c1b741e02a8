/**
 * Words that comments and documents do not use, each with the words to use instead: metaphors, archaic words, and turns that a reader with
 * another first language has to read twice. `words.ts` searches for them in any case, also across a line break. Keys are in lower case.
 */
export const droppedWords: Readonly<Record<string, string>> = {
  "are held against": "are compared with, are checked against",
  "at all times": "always",
  "by the way": "nothing: leave it out",
  cellar: "resources",
  condemned: "to be deleted",
  correspondence: "peer requests",
  elders: "older objects",
  "for else": "otherwise",
  guests: "transactions of draining peers",
  "import wall": "import rule",
  "import walls": "import rules",
  "in vain": "without success",
  "is held against": "is compared with, is checked against",
  "it is told": "it is notified, it receives",
  laggards: "outdated nodes",
  lest: "so that ... not",
  "let go of": "release",
  "lets go of": "releases",
  "not to be had": "unavailable",
  "of its own accord": "by itself",
  "takes nothing away": "deletes nothing",
  "the young end": "the newest entries",
  thither: "there",
  whence: "from where",
  wherein: "in which",
};
