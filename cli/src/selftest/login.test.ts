import { expect, test } from "vitest";
import { parseLogin } from "./login.ts";

test.each([
  ["alice:secret@sip.example", { username: "alice", password: "secret", domain: "sip.example" }],
  ["a:p@ss:w@rd@b.example", { username: "a", password: "p@ss:w@rd", domain: "b.example" }],
])("%s is a user, a password and a domain", (text, login) => {
  expect(parseLogin(text)).toEqual(login);
});

test.each([
  "",
  "alice",
  "alice@sip.example",
  "alice:secret",
  ":secret@sip.example",
  "alice:@sip.example",
  "alice:secret@",
])("%j lacks a part", (text) => {
  expect(parseLogin(text)).toBeUndefined();
});
