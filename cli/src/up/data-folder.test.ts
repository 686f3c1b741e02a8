import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dataFolder } from "./data-folder.ts";

test("two folders never share a data folder; a folder and a symbolic link to it have the same one", () => {
  const parent = mkdtempSync(join(tmpdir(), "strowger-data-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  for (const name of ["a/my yaml", "b/my yaml"]) mkdirSync(join(parent, name), { recursive: true });
  symlinkSync(join(parent, "a"), join(parent, "link"));
  const [a, b, link] = ["a", "b", "link"].map((path) =>
    dataFolder("/checkout", join(parent, path, "my yaml")),
  );
  expect(a).toMatch(/^\/checkout\/\.strowger\/my_yaml-[0-9a-f]{8}$/);
  expect(b).not.toBe(a);
  expect(link).toBe(a);
});
