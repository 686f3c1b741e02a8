import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dataFolder } from "./data-folder.ts";

test("two folders never share their data; one has the same whichever way leads to it", () => {
  const place = mkdtempSync(join(tmpdir(), "strowger-data-"));
  onTestFinished(() => rmSync(place, { recursive: true }));
  for (const name of ["a/my yaml", "b/my yaml"]) mkdirSync(join(place, name), { recursive: true });
  symlinkSync(join(place, "a"), join(place, "link"));
  const [a, b, link] = ["a", "b", "link"].map((way) => dataFolder("/checkout", join(place, way, "my yaml")));
  expect(a).toMatch(/^\/checkout\/\.strowger\/my_yaml-[0-9a-f]{8}$/);
  expect(b).not.toBe(a);
  expect(link).toBe(a);
});
