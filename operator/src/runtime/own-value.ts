/** Reads a field of an object from outside (a Secret's data, labels, parsed YAML) by a key that may be any text. */

/** Returns the object's own value. Undefined also for inherited properties such as `constructor`. */
export const ownValue = <Value>(
  object: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined => (object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined);
