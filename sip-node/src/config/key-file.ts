/** The key file of a node: `{"keys": [{"id", "key", "verifyFrom", "signFrom", "dropAfter"}]}`. A field that is null counts as absent. */
import { type KeyRing, signingKey } from "../auth/key-ring.ts";
import type { Epoch } from "../wire/units.ts";
import { compileSchema, type Validate } from "./compile-schema.ts";

export interface KeyFile {
  readonly keys: readonly {
    readonly id: string | number;
    /** In base64. */
    readonly key: string;
    readonly verifyFrom: Epoch;
    readonly signFrom: Epoch;
    readonly dropAfter?: Epoch;
  }[];
}

const time = { type: "integer", minimum: 0, description: "a time in milliseconds since 1970" };

export const validateKeyFile: Validate<KeyFile> = compileSchema({
  type: "object",
  description: "an object",
  properties: {
    keys: {
      type: "array",
      minItems: 1,
      default: [],
      description: "at least one key",
      items: {
        type: "object",
        description: "an object",
        required: ["id", "key"],
        properties: {
          id: {
            type: ["string", "integer"],
            pattern: "^[\\w-]{1,32}$",
            minimum: 0,
            description: '1 to 32 letters, digits, "-" or "_"',
          },
          key: {
            type: "string",
            format: "base64-key",
            writeOnly: true,
            description: "at least 32 bytes in base64",
          },
          verifyFrom: { ...time, default: 0 },
          signFrom: { ...time, default: 0 },
          dropAfter: time,
        },
      },
    },
  },
});

export const buildKeyRing = ({ keys }: KeyFile): KeyRing =>
  keys.map(({ id, key, verifyFrom, signFrom, dropAfter = Number.POSITIVE_INFINITY }) => ({
    id: String(id),
    key: Buffer.from(key, "base64"),
    verifyFrom,
    signFrom,
    dropAfter,
  }));

/** A node without a key that may sign now cannot issue a nonce. */
export function checkSigningKey(ring: KeyRing, now: Epoch, what: string, problems: string[]): void {
  if (signingKey(ring, now) === undefined) problems.push(`${what}.keys: expected a key that may sign now`);
}
