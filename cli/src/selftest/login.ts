/** Parses a login of the form `name:password@domain`. The password may contain `:` and `@`. */
import type { PhoneLogin } from "../up/scripted-phone.ts";

/** Undefined if a part is missing. */
export function parseLogin(text: string): PhoneLogin | undefined {
  const found = /^([^:@]+):(.+)@([^@:]+)$/s.exec(text);
  const [, username = "", password = "", domain = ""] = found ?? [];
  return found === null ? undefined : { username, password, domain };
}
