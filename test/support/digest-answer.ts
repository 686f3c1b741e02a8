/** The Authorization value for an MD5 challenge with qop=auth (RFC 2617), computed without the node's code. */
import { createHash, randomBytes } from "node:crypto";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export function digestAnswer(
  challenge: string,
  credentials: Credentials,
  method: string,
  uri: string,
): string {
  const parameter = (name: string) =>
    new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|([^,\\s]+))`, "i").exec(challenge)?.slice(1).find(Boolean) ??
    "";
  const [realm, nonce, opaque] = [parameter("realm"), parameter("nonce"), parameter("opaque")];
  const [nc, cnonce] = ["00000001", randomBytes(8).toString("hex")];
  const ha1 = md5(`${credentials.username}:${realm}:${credentials.password}`);
  const response = md5(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
  return (
    `Digest username="${credentials.username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", ` +
    `algorithm=MD5, qop=auth, nc=${nc}, cnonce="${cnonce}"${opaque === "" ? "" : `, opaque="${opaque}"`}`
  );
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
