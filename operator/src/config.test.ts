import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const good = {
  STROWGER_FILES: "examples",
  STROWGER_DATA: "data",
  STROWGER_MYSQL_URL: "mysql://u:geheim@h/sip",
};

test("defaults: HTTP on loopback, log level info", () => {
  expect(readConfig(good)).toMatchObject({
    http: { host: "127.0.0.1", port: 8080 },
    logLevel: "info",
    database: { user: "u" },
  });
});

test("all problems come in one report, and none of them holds the password", () => {
  const report = readConfig({
    STROWGER_MYSQL_URL: "ftp://u:geheim@h/sip",
    STROWGER_HTTP: "8080",
    STROWGER_LOG_LEVEL: "loud",
  });
  expect(report).toHaveProperty("problems.length", 5);
  expect(JSON.stringify(report)).not.toContain("geheim");
});

test("an IPv6 listener is written in brackets", () => {
  expect(readConfig({ ...good, STROWGER_HTTP: "[::1]:0" })).toMatchObject({ http: { host: "::1", port: 0 } });
  expect(readConfig({ ...good, STROWGER_HTTP: "::1:80" })).toHaveProperty("problems");
});
