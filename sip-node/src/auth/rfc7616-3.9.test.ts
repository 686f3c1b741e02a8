/** Examples with published responses: RFC 7616 §3.9.1 (qop=auth, MD5 and SHA-256) and RFC 2617 §3.5. */
import { expect, it } from "vitest";
import { type DigestCredentials, parseDigestCredentials } from "../wire/digest-credentials.ts";
import { type DigestAlgorithm, digestResponse, hashPassword, isResponseRight } from "./digest.ts";

const examples: readonly (readonly [string, DigestAlgorithm, string, string])[] = [
  [
    "RFC 7616 §3.9.1, MD5",
    "MD5",
    "Circle of Life",
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, ' +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ' +
      'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="8ca523f5e9506fed4657c9700eebdbec"',
  ],
  [
    "RFC 7616 §3.9.1, SHA-256",
    "SHA-256",
    "Circle of Life",
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, ' +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ' +
      'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, ' +
      'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"',
  ],
  [
    "RFC 2617 §3.5",
    "MD5",
    "Circle Of Life",
    'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html", ' +
      'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", nc=00000001, cnonce="0a4f113b", qop=auth, ' +
      'response="6629fae49393a05397450978507c4ef1"',
  ],
];

it.each(examples)(
  "%s: the computed response equals the published one",
  (_name, algorithm, password, value) => {
    const credentials = parseDigestCredentials(value) as DigestCredentials;
    const ha1 = hashPassword(algorithm, credentials.username, credentials.realm, password);
    expect(digestResponse(algorithm, ha1, "GET", credentials)).toBe(credentials.response);
    expect(isResponseRight(algorithm, ha1, "GET", credentials)).toBe(true);
    expect(
      isResponseRight(algorithm, ha1.toUpperCase(), "GET", {
        ...credentials,
        response: credentials.response.toUpperCase(),
      }),
    ).toBe(true); // prettier-ignore
    expect(isResponseRight(algorithm, ha1, "PUT", credentials)).toBe(false);
    expect(isResponseRight(algorithm, ha1, "GET", { ...credentials, response: "" })).toBe(false);
    expect(isResponseRight(algorithm, ha1, "GET", { ...credentials, nc: "00000002" })).toBe(false);
  },
);
