/** The cases of test/golden/yaml with kubectl itself, without an API server: the objects that it reads from a file. */
import { expect, test } from "vitest";
import { documents, refusedHere, refusedScalars, scalars, texts } from "../../golden/yaml/cases.ts";
import { runCommand } from "../../support/kubernetes/run-command.ts";
import { kubeBinaries } from "../../tools/build.ts";

const { kubectl } = await kubeBinaries(["kubectl"]);

/** The objects that kubectl would send. */
async function read(text: string): Promise<readonly { readonly data?: unknown }[]> {
  const args = ["annotate", "--local", "--filename=-", "--output=json", "a=b"];
  const output = await runCommand(kubectl, args, { input: text, env: { KUBECONFIG: "/dev/null" } });
  const objects = output.split(/(?<=^\})\n/m).filter((object) => object.trim() !== "");
  return objects.map((object) => JSON.parse(object) as { data?: unknown });
}

const withItems = (items: readonly string[]): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n${items.map((item) => `  - ${item}\n`).join("")}`;

test("scalars", async () => {
  const all = [...scalars, ...texts.map((text) => [text, text] as const)].flatMap(([value, ...spellings]) =>
    spellings.map((spelling) => ({ spelling, value })),
  );
  const [object] = await read(withItems(all.map(({ spelling }) => spelling)));
  const values = object?.data as readonly unknown[];
  expect(all.map(({ spelling }, index) => ({ spelling, value: values[index] }))).toEqual(all);
});

test.for(refusedScalars.map((scalar) => [scalar] as const))("refuses %s", async ([scalar]) => {
  await expect(read(withItems([scalar]))).rejects.toThrow();
});

test.for([...documents, ...refusedHere].map((each) => [each.what, each] as const))(
  "documents: %s",
  async ([, { text, data }]) => {
    if (data === undefined) await expect(read(text)).rejects.toThrow();
    else expect((await read(text)).map((object) => object.data)).toEqual(data);
  },
);
