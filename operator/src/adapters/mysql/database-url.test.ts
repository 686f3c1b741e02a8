import { expect, test } from "vitest";
import { describeAddress, parseDatabaseUrl } from "./database-url.ts";

test("user, password and database are decoded, the port has its default", () => {
  expect(parseDatabaseUrl("mysql://us%40er:p%2Fw@[::1]/sip?tls=verify")).toEqual({
    host: "::1",
    port: 3306,
    user: "us@er",
    password: "p/w",
    database: "sip",
    tls: "verify",
  });
});

test("another text is refused, and the problem names the expected format", () => {
  for (const text of [
    "",
    "nonsense",
    "http://host/sip",
    "mysql://host",
    "mysql://host/a`b",
    "mysql://host/sip?tls=maybe",
  ]) {
    expect(parseDatabaseUrl(text), text).toHaveProperty("problem");
  }
});

test("neither a problem nor a description contains the password", () => {
  const refused = parseDatabaseUrl("http://user:geheim@host/sip");
  expect(JSON.stringify(refused)).not.toContain("geheim");
  const address = parseDatabaseUrl("mysql://user:geheim@host/sip");
  if ("problem" in address) throw new Error(address.problem);
  expect(describeAddress(address)).toBe("mysql://user@host:3306/sip");
});
