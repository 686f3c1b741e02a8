/** The value at a path of parsed JSON that is not validated yet; undefined if there is none. Inherited fields do not count. */
export const ownValue = (json: unknown, path: readonly string[]): unknown => path.reduce(ownField, json);

/** The same; undefined also for a value that is not a text. */
export function ownText(json: unknown, path: readonly string[]): string | undefined {
  const value = ownValue(json, path);
  return typeof value === "string" ? value : undefined;
}

const ownField = (value: unknown, field: string): unknown =>
  typeof value === "object" && value !== null ? new Map(Object.entries(value)).get(field) : undefined;
