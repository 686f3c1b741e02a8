/** What the operator says at /status about each object, as one text an object. */

/** `SipUser default/alice` → `Ready (generation 2)`. */
export type ObjectStates = ReadonlyMap<string, string>;

interface StatusObject {
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string; readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

/** undefined when the operator does not answer within a second. */
export async function objectStates(operatorUrl: string): Promise<ObjectStates | undefined> {
  try {
    const response = await fetch(`${operatorUrl}/status`, { signal: AbortSignal.timeout(1000) });
    const { objects } = (await response.json()) as { objects: readonly StatusObject[] };
    return new Map(objects.map((object) => [nameOf(object), stateOf(object)]));
  } catch {
    return undefined;
  }
}

function nameOf({ kind, metadata }: StatusObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

function stateOf({ metadata, status }: StatusObject): string {
  const ready = status?.conditions?.find((condition) => condition.type === "Ready");
  if (ready === undefined) return "not looked at yet";
  const generation = `generation ${metadata.generation}`;
  return ready.status === "True"
    ? `Ready (${generation})`
    : `${ready.reason}: ${ready.message} (${generation})`;
}
