/** The cases of test/golden/admission on a real API server: it must admit and refuse the same objects, for the same fields, as the files source. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiServer } from "../../support/kubernetes/api-server.ts";
import { admissionCases, type AdmissionCase } from "../../golden/admission/cases.ts";
import { collection, ApiClient, type Answer, type StatusError } from "./api-client.ts";

interface Stored extends StatusError {
  readonly spec?: unknown;
  readonly metadata: { readonly resourceVersion: string };
}

let server: ApiServer;
let client: ApiClient;

beforeAll(async () => {
  server = await ApiServer.start();
  await server.installCrds();
  client = new ApiClient(server.kubeconfig);
});

afterAll(async () => {
  (client as ApiClient | undefined)?.[Symbol.dispose]();
  await (server as ApiServer | undefined)?.[Symbol.asyncDispose]();
});

test.for(admissionCases().map((one) => [one.title, one] as const))("%s", async ([, one]) => {
  const { refused, as } = one;
  const { status, body } = one.old === undefined ? await create(one) : await update(one);
  if (refused === undefined) {
    expect(errorsIn(body)).toEqual([]);
    expect(body.spec).toMatchObject(as);
  } else {
    expect([400, 422]).toContain(status);
    expect(errorsIn(body).join("\n")).toContain(refused.field);
    expect(errorsIn(body).filter((text) => text.includes(refused.says))).not.toEqual([]);
  }
});

/** A dry run with strict field validation, which is kubectl's default. */
const create = ({ object }: AdmissionCase): Promise<Answer<Stored>> =>
  client.send("POST", `${collection(object.kind)}?dryRun=All&fieldValidation=Strict`, object);

async function update({ object, old }: AdmissionCase): Promise<Answer<Stored>> {
  const path = collection(object.kind);
  const name = String(object.metadata["name"]);
  const { status, body } = await client.send<Stored>("POST", path, old);
  expect(status, "the old object was admitted itself").toBe(201);
  const metadata = { ...object.metadata, resourceVersion: body.metadata.resourceVersion };
  try {
    return await client.send("PUT", `${path}/${name}?fieldValidation=Strict`, { ...object, metadata });
  } finally {
    await client.send("DELETE", `${path}/${name}`);
  }
}

/** The field and message of each error. List indexes have the format of the files source: `aliases.1`. */
function errorsIn({ kind, message, details }: StatusError): readonly string[] {
  if (kind !== "Status") return [];
  const causes = details?.causes?.map((cause) => `${cause.field}: ${cause.message}`) ?? [];
  return [...causes, message].map((text) => text.replace(/\[([^\]"]+)\]/g, ".$1"));
}
