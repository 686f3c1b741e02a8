import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fingerprint, readObjects } from "./read-objects.ts";

/** A folder with these files. */
function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "strowger-read-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const cluster = (name: string): string =>
  `apiVersion: sip.strowger.dev/v1alpha1\nkind: SipCluster\nmetadata: { name: ${name} }\nspec: {}\n`;

/** File name, line and message of every problem. */
const problemsOf = async (path: string) =>
  (await readObjects(path)).problems.map(
    ({ file, line, message }) => `${file.slice(path.length + 1)}:${line}: ${message}`,
  );

test("documents of all files and folders are read; hidden files and other extensions are not", async () => {
  const path = folder({
    "a.yaml": `${cluster("one")}---\n${cluster("two")}`,
    "b/c.yml": cluster("three"),
    ".hidden.yaml": "no: object",
    "..data/x.yaml": "no: object",
    "README.md": "text",
    "for-kubectl/kustomization.yaml": "kind: Kustomization",
    "for-kubectl/x.yaml": "no: object",
  });
  const { objects, problems } = await readObjects(path);
  expect(problems).toEqual([]);
  expect(objects.map(({ name }) => name)).toEqual(["one", "two", "three"]);
});

test("the examples are valid", async () => {
  const { objects, problems } = await readObjects(join(import.meta.dirname, "../../../../examples"));
  expect(problems).toEqual([]);
  expect(objects.filter(({ kind }) => kind === "SipUser").map(({ name }) => name)).toEqual([
    "alice",
    "bob",
    "carol",
  ]);
});

test("every problem names its file and line, and the valid objects are returned", async () => {
  const path = folder({
    "bad.yaml": `${cluster("good")}---\n# a comment\napiVersion: sip.strowger.dev/v1alpha1\nkind: SipCluster\nmetadata:\n  name: bad\nspec:\n  replica: 3\n  peers:\n    - 192.0.2.1\n    - sip.example.com\n`,
    "syntax.yaml": "kind: [SipUser\nmetadata: x\n",
  });
  expect(await problemsOf(path)).toEqual([
    "bad.yaml:12: SipCluster default/bad: spec.replica is not a field; did you mean replicas?",
    expect.stringMatching(/^syntax.yaml:\d: invalid YAML: /),
  ]);
  const { objects } = await readObjects(path);
  expect(objects.map(({ name }) => name)).toEqual(["good"]);
});

test("the problem of a rule names the line of the item", async () => {
  const path = folder({
    "a.yaml": `${cluster("a").replace("spec: {}", "spec:\n  peers:\n    - 192.0.2.1\n    - sip.example.com")}`,
  });
  expect(await problemsOf(path)).toEqual([
    "a.yaml:7: SipCluster default/a: spec.peers.1: must be an IPv4 or IPv6 address",
  ]);
});

test("a final --- and documents with only comments are skipped", async () => {
  const path = folder({
    "a.yaml": `---\n# one\n---\n${cluster("one")}---\n---\n${cluster("two")}---\n`,
    "b.yaml": `\ufeff${cluster("three")}...\n---\n# no more\n`.replaceAll("\n", "\r\n"),
    "c.yaml": "---\n",
  });
  const { objects, problems } = await readObjects(path);
  expect(problems).toEqual([]);
  expect(objects.map(({ name }) => name)).toEqual(["one", "two", "three"]);
});

test("a broken symbolic link is a problem: the other objects are returned, and no absence is proven", async () => {
  const path = folder({ "a.yaml": cluster("a"), "b/c.yaml": cluster("c") });
  symlinkSync("nowhere", join(path, "b", "users"));
  const { objects } = await readObjects(path);
  expect(objects.map(({ name }) => name)).toEqual(["a", "c"]);
  expect(await problemsOf(path)).toEqual([expect.stringMatching(/^b\/users:1: cannot be read: ENOENT/)]);
});

test("a folder for kubectl, and a file instead of a folder, are problems with a clear message", async () => {
  const path = folder({ "kustomization.yaml": "kind: Kustomization", "a.yaml": cluster("a") });
  expect((await readObjects(path)).problems[0]?.message).toMatch(
    /has a kustomization.yaml, so it is for kubectl/,
  );
  expect((await readObjects(join(path, "a.yaml"))).problems[0]?.message).toMatch(/^cannot be read: ENOTDIR/);
});

test("a file in another encoding than UTF-8 is a problem", async () => {
  const path = folder({});
  writeFileSync(join(path, "a.yaml"), Buffer.from(`# J\u00fcrgen\n${cluster("a")}`, "latin1"));
  writeFileSync(join(path, "b.yaml"), Buffer.from(`\ufeff${cluster("b")}`, "utf16le"));
  const wrong = "cannot be read: it is not UTF-8; save it as UTF-8";
  expect(await problemsOf(path)).toEqual([`a.yaml:1: ${wrong}`, `b.yaml:1: ${wrong}`]);
});

test("an object that is defined twice is a problem, and neither is returned", async () => {
  const path = folder({ "a.yaml": cluster("same"), "b.yaml": cluster("same") });
  const { objects, problems } = await readObjects(path);
  expect(objects).toEqual([]);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toMatch(
    /SipCluster default\/same is defined twice; the first definition is at .*a.yaml:1/,
  );
});

test("an empty file and a folder without files are problems: they prove no absence", async () => {
  expect(await problemsOf(folder({ "a.yaml": "" }))).toHaveLength(1);
  expect(await problemsOf(folder({}))).toHaveLength(1);
  expect(await problemsOf(join(folder({}), "missing"))).toHaveLength(1);
  expect(await problemsOf(folder({ "a.yaml": "# all users are on holiday\n" }))).toEqual([]);
});

test("Secrets: data is decoded, stringData takes precedence, invalid base64 is refused", async () => {
  const secret = (rest: string): string => `apiVersion: v1\nkind: Secret\nmetadata: { name: s }\n${rest}`;
  const { objects } = await readObjects(
    folder({ "a.yaml": secret("data: { a: aGVsbG8=, b: aGVsbG8= }\nstringData: { b: bye }\n") }),
  );
  expect(objects[0]?.data).toEqual({ a: "hello", b: "bye" });
  expect(await problemsOf(folder({ "a.yaml": secret("data:\n  a: plain text!\n") }))).toEqual([
    "a.yaml:5: Secret s: data.a is not base64; plain text belongs under stringData",
  ]);
});

test("plain scalars have the same meaning as in kubectl", async () => {
  const user = (spec: string): string =>
    `apiVersion: sip.strowger.dev/v1alpha1\nkind: SipUser\nmetadata: { name: a, labels: { team: voice } }\nspec:\n  domainRef: { name: d }\n  generatePassword: yes\n${spec}`;
  const { objects } = await readObjects(folder({ "a.yaml": user("  username: a\n  enabled: off\n") }));
  expect(objects[0]).toMatchObject({ labels: { team: "voice" }, spec: { enabled: false } });
  for (const word of ["y", "no", "On", "0100", "0o7", "1_000", "null", "!!int 1", ".inf"])
    expect(await problemsOf(folder({ "a.yaml": user(`  username: ${word}\n`) })), word).not.toEqual([]);
  for (const word of ["22:22", "2001-01-01", "e1", "E10", "0o8"])
    expect(await problemsOf(folder({ "a.yaml": user(`  username: a\n  displayName: ${word}\n`) }))).toEqual(
      [],
    );
  for (const more of ["  <<: { maxContact: 1 }\n", "  constructor:\n", "  __proto__: { enabled: no }\n"])
    expect(await problemsOf(folder({ "a.yaml": user(`  username: a\n${more}`) })), more).not.toEqual([]);
});

test("an alias bomb, and a document that is not an object, are problems and not exceptions", async () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]\n`;
  for (const text of [
    bomb,
    "just text",
    "- a\n- b\n",
    "&a [*a]",
    "kind: &k [*k]\nmetadata: {name: 1}",
    "\u0000",
  ]) {
    expect((await readObjects(folder({ "a.yaml": text }))).problems, text).not.toEqual([]);
  }
});

test("no problem quotes a value that may be a password", async () => {
  const secret = (value: string): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData:\n  password: ${value}\n`;
  for (const value of [
    "*geheim",
    '"a" "geheim"',
    "{ x: geheim }",
    "[geheim",
    "@geheim",
    "!<geheim> x",
    "'geheim",
  ]) {
    const { problems } = await readObjects(folder({ "a.yaml": secret(value) }));
    expect(problems, value).not.toEqual([]);
    expect(JSON.stringify(problems), value).not.toContain("geheim");
  }
});

test("the fingerprint changes with names and sizes", async () => {
  const path = folder({ "a.yaml": cluster("a") });
  const before = await fingerprint(path);
  expect(await fingerprint(path)).toBe(before);
  writeFileSync(join(path, "b.yaml"), "");
  expect(await fingerprint(path)).not.toBe(before);
});
