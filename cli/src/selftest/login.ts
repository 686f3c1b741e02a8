/** A user to test with, written as `name:password@domain`. The password may hold `:` and `@`. */
import type { PhoneLogin } from "../up/scripted-phone.ts";

/** Undefined where a part is missing. */
export function parseLogin(text: string): PhoneLogin | undefined {
  const found = /^([^:@]+):(.+)@([^@:]+)$/s.exec(text);
  const [, username = "", password = "", domain = ""] = found ?? [];
  return found === null ? undefined : { username, password, domain };
}
