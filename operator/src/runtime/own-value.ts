/** Reads a field of an object that came from outside (a Secret's data, labels, parsed YAML) by a key that may be any text. */

/** The object's own value; undefined where it has none, also for what every object inherits, such as `constructor`. */
export const ownValue = <Value>(
  object: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined => (object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined);
