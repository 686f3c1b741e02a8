import { describe, expect, it } from "vitest";
import { digestLogins, findDigestCredentials, parseDigestCredentials } from "./digest-credentials.ts";
import { parseMessage } from "./parse-message.ts";

const least = 'username="bob", realm="example.com", nonce="n", uri="sip:example.com", response="00"';

describe("parseDigestCredentials", () => {
  it("§20.7: reads every parameter, with qop and algorithm as tokens", () => {
    const value = `Digest ${least}, algorithm=MD5,cnonce="c", qop=auth, nc=0000001f, opaque="o"`;
    expect(parseDigestCredentials(value)).toEqual({
      username: "bob",
      realm: "example.com",
      nonce: "n",
      uri: "sip:example.com",
      response: "00",
      algorithm: "MD5",
      cnonce: "c",
      qop: "auth",
      nc: "0000001f",
    });
  });

  it("names and the scheme have any case, white space and folds are allowed, empty elements are skipped", () => {
    const value = 'dIGEST\r\n USERNAME = "bob" ,,\r\n\tRealm="r",Nonce="n" , URI="u",response="0" ,';
    expect(parseDigestCredentials(value)).toMatchObject({ username: "bob", realm: "r", response: "0" });
  });

  it("commas, equals signs and escaped quotes inside quotes are text", () => {
    const value = `Digest ${least.replace('"bob"', String.raw`"b,o=\"b\\"`)}, cnonce="a,b\\"c"`;
    expect(parseDigestCredentials(value)).toMatchObject({
      username: String.raw`b,o="b` + "\\",
      cnonce: 'a,b\\"c',
    });
  });

  it("leniency: quoted qop, nc and algorithm, others without quotes", () => {
    const value = `Digest ${least.replace('"bob"', "bob")}, qop="auth", nc="00000001", algorithm="MD5", cnonce=c`;
    expect(parseDigestCredentials(value)).toMatchObject({
      username: "bob",
      qop: "auth",
      nc: "00000001",
      algorithm: "MD5",
    });
  });

  it("absent and empty parameters are the empty text", () => {
    const absent = { username: "", realm: "", nonce: "", uri: "", response: "", nc: undefined };
    expect(parseDigestCredentials("Digest x=y")).toMatchObject(absent);
    const ims =
      'Digest username="bob@example.com", realm="example.com", nonce="", uri="sip:example.com", response="", nc=';
    expect(parseDigestCredentials(ims)).toMatchObject({
      username: "bob@example.com",
      nonce: "",
      nc: undefined,
    });
    expect(parseDigestCredentials(`Digest ${least}, qop=auth`)).toMatchObject({
      qop: "auth",
      cnonce: undefined,
    });
  });

  it("returns undefined for another scheme", () => {
    for (const value of ["Basic QWxh", "", "Digestive x=1", "Digest"])
      expect(parseDigestCredentials(value), value).toBeUndefined();
  });

  it.each([
    ["uri twice", `Digest ${least}, uri="sip:other"`],
    ["uri twice", `Digest ${least}, URI="sip:other"`],
    ["not closed", `Digest ${least}, opaque="x`],
    ["not closed", `Digest ${least}, cnonce="x\\"`],
    ["expected a comma", `Digest ${least} qop=auth`],
    ['expected "="', `Digest ${least}, lonely`],
    ["not a token", `Digest ${least}, =x`],
    ["not 8 hexadecimal digits", `Digest ${least}, nc=000000001`],
    ["not 8 hexadecimal digits", `Digest ${least}, nc=0000000g`],
    ["more than 64 parameters", `Digest ${"x=1,".repeat(65)}${least}`],
    ["more than 8192 bytes", `Digest ${least}, opaque="${"x".repeat(8192)}"`],
  ])("refuses: %s", (reason, value) => {
    const found = parseDigestCredentials(value);
    expect(found).toMatchObject({ kind: "problem", status: 400 });
    expect((found as { reason: string }).reason).toContain(reason);
  });

  it("a problem contains no value", () => {
    const broken = 'Digest username="bob", response="secret", nc=x';
    expect(parseDigestCredentials(broken)).toMatchObject({ kind: "problem" });
    expect(JSON.stringify(parseDigestCredentials(broken))).not.toContain("secret");
  });

  it("never throws for a prefix or a change of one byte", () => {
    const value = `Digest ${least}, qop="auth", nc=00000001, cnonce="a\\"b"`;
    for (let i = 0; i <= value.length; i++) {
      parseDigestCredentials(value.slice(0, i));
      for (const byte of ['"', "\\", ",", "=", "\r", "\0"])
        parseDigestCredentials(value.slice(0, i) + byte + value.slice(i + 1));
    }
  });
});

describe("findDigestCredentials", () => {
  const message = (...lines: string[]) => {
    const text = `OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
    return parseMessage(text);
  };
  const credentials = (realm: string, username: string): string =>
    `Digest ${least.replace("example.com", realm).replace("bob", username)}`;

  it("§22.3: of several fields it returns those for the realm, in order", () => {
    const found = findDigestCredentials(
      message(
        `Proxy-Authorization: ${credentials("other.example", "x")}`,
        `Authorization: ${credentials("example.com", "wrong field")}`,
        "Proxy-Authorization: Basic QWxh",
        "Proxy-Authorization: Digest broken",
        `Proxy-Authorization: ${credentials("example.com", "bob")}`,
        `Proxy-Authorization: ${credentials("example.com", "carol")}`,
      ),
      "proxy-authorization",
      "example.com",
    );
    expect(found).toMatchObject([{ username: "bob" }, { username: "carol" }]);
  });

  it("reads at most 8 fields", () => {
    const fields = Array.from(
      { length: 9 },
      (_, i) => `Authorization: ${credentials("example.com", `u${i}`)}`,
    );
    expect(findDigestCredentials(message(...fields), "authorization", "example.com")).toHaveLength(8);
    expect(digestLogins(message(...fields), "authorization").at(-1)).toMatchObject({
      username: "u7",
      realm: "example.com",
    });
  });

  it("returns none when all are for other realms; an unreadable field is a problem when no other field is for the realm", () => {
    const other = `Authorization: ${credentials("other.example", "x")}`;
    expect(findDigestCredentials(message(other), "authorization", "example.com")).toEqual([]);
    expect(
      findDigestCredentials(message(other, "Authorization: Digest broken"), "authorization", "example.com"),
    ).toMatchObject({ kind: "problem" }); // prettier-ignore
  });
});
