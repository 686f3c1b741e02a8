/** The mounted key ring: `{"keys": [{"id", "key", "verifyFrom", "signFrom", "dropAfter"}]}`, keys in base64, times in ms since 1970. */
import { type KeyRing, signingKey } from "../auth/key-ring.ts";
import type { Epoch } from "../wire/units.ts";
import { JsonReader } from "./json-reader.ts";

/** Problems go to `file`'s; `now` because a ring without a key that signs is of no use. */
export function readKeys(file: JsonReader, now: Epoch): KeyRing {
  const keys = file.list("keys").map((item, i) => {
    const entry = new JsonReader(item, `keys[${i}]`, file.problems);
    const id = entry.has("id") ? String((item as { id: unknown }).id) : "";
    if (!/^[\w-]{1,32}$/.test(id)) entry.expected("id", '1 to 32 letters, digits, "-" or "_"');
    const key = Buffer.from(entry.text("key"), "base64");
    if (key.length < 32) entry.expected("key", "at least 32 bytes in base64");
    const dropAfter = entry.has("dropAfter") ? entry.number("dropAfter", 0, 0) : Number.POSITIVE_INFINITY;
    return {
      id,
      key,
      verifyFrom: entry.number("verifyFrom", 0, 0),
      signFrom: entry.number("signFrom", 0, 0),
      dropAfter,
    };
  });
  if (keys.length === 0) file.expected("keys", "at least one key");
  else if (signingKey(keys, now) === undefined) file.expected("keys", "a key that may sign now");
  return keys;
}
