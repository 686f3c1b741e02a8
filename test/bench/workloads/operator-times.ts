/**
 * The time of the API server alone and with the operator, for many SipUsers that are created at once. Each measurement has a new API server,
 * etcd and MariaDB.
 */
import { collection } from "../../parts/api-server/api-client.ts";
import { eventually } from "../../parts/api-server/eventually.ts";
import { OperatorEnvironment, sipCluster, sipDomain } from "../../parts/api-server/operator-environment.ts";
import type { OperatorPod } from "../../parts/api-server/operator-pod.ts";
import { cpuMicroseconds } from "../process-time.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { childrenOf, cpuOf, memoryOf } from "./operator-processes.ts";
import { create, createShared, type CreatedUser, type Users, writeAsOperator } from "./operator-users.ts";

export interface OperatorPlan extends Users {
  /** Environment variables of the operator. */
  readonly variables?: Readonly<Record<string, string>>;
  /** A folder for CPU profiles of the operator. */
  readonly profile?: string;
}

export interface WriteTime {
  readonly seconds: number;
  /** Microseconds of processor time for each user: API server, etcd, the client of the benchmark, the operator and MariaDB. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** All but `seconds` is for each user. */
export interface OperatorTime extends WriteTime {
  /** The operator's requests to the API server, with lists and watches. */
  readonly requests: number;
  /** Statements that MariaDB executed, with BEGIN and COMMIT. */
  readonly statements: number;
  readonly transactions: number;
  /** Growth of the operator's memory in bytes, between two forced collections: what it keeps for a SipUser. */
  readonly memory: number;
  /** Growth of its resident memory at its maximum, with garbage that was not collected yet. */
  readonly peakMemory: number;
}

/** As in the Dockerfile. */
const nodeOptions = "--max-semi-space-size=8 --inspect=127.0.0.1:0";

/** Writes of the plain client at the same time: as many as the operator has workers. */
const writers = 32;

export async function measureAlone(plan: OperatorPlan): Promise<WriteTime> {
  await using environment = await OperatorEnvironment.start();
  await prepare(environment, plan);
  const processes = childrenOf(process.pid);
  const before = cpuOf(processes);
  const start = performance.now();
  const created: CreatedUser[] = [];
  let hasEnded = false;
  const creating = create(environment, plan, (user) => created.push(user)).then(() => (hasEnded = true));
  const writer = async (): Promise<void> => {
    for (;;) {
      const user = created.shift();
      if (user !== undefined) await writeAsOperator(environment, user, plan.passwords);
      else if (hasEnded) return;
      else await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all([creating, ...Array.from({ length: writers }, writer)]);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, cpu: perUser(plan, before, cpuOf(processes)) };
}

export async function measureWithOperator(plan: OperatorPlan): Promise<OperatorTime> {
  await using environment = await OperatorEnvironment.start();
  const profiling = plan.profile === undefined ? "" : ` --cpu-prof --cpu-prof-dir=${plan.profile}`;
  const operator = await environment.leader({
    ...{ STROWGER_LOG_LEVEL: "info", NODE_OPTIONS: nodeOptions + profiling },
    ...plan.variables,
  });
  await environment.apply(sipCluster("exchange", environment.mysql()), sipDomain("example", "example.com"));
  await environment.becomes("SipDomain", "example", "Reconciled");
  await prepare(environment, plan);
  const processes = { ...childrenOf(process.pid), operator: operator.pid };
  const [before, counted, memory] = [
    cpuOf(processes),
    await countsOf(environment, operator),
    await keptMemory(operator),
  ];
  const resident = memoryOf(operator.pid);
  const start = performance.now();
  await create(environment, plan);
  await operator.until(
    "every user is Ready",
    async () => (await readyUsers(operator)) === plan.users,
    1_200_000,
  );
  const seconds = (performance.now() - start) / 1000;
  const [after, counts] = [cpuOf(processes), await countsOf(environment, operator)];
  const peak = memoryOf(operator.pid, "VmHWM");
  const kept = await keptMemory(operator);
  await expectAllReady(environment, plan.users);
  if (plan.profile !== undefined) await operator.end();
  const each = (total: number): number => total / plan.users;
  return {
    seconds,
    cpu: perUser(plan, before, after),
    requests: each(counts.requests - counted.requests),
    statements: each(counts.statements - counted.statements),
    transactions: each(counts.transactions - counted.transactions),
    memory: each(kept - memory),
    peakMemory: each(peak - resident),
  };
}

/** Without pages of files: how many of them are resident depends on the machine. */
async function keptMemory(operator: OperatorPod): Promise<number> {
  await collectGarbage(operator.log);
  return memoryOf(operator.pid, "RssAnon");
}

/** Objects that exist before the measurement. Waits until the new API server has done the work of its start. */
async function prepare(environment: OperatorEnvironment, plan: OperatorPlan): Promise<void> {
  const { "kube-apiserver": server = 0 } = childrenOf(process.pid);
  await eventually("the API server is idle", async () => {
    const before = cpuMicroseconds([server]);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    return cpuMicroseconds([server]) - before < 400_000;
  });
  await createShared(environment, plan);
}

const readyUsers = (operator: OperatorPod): Promise<number> =>
  new Promise((resolve) => setTimeout(resolve, 500)).then(() =>
    operator.total("strowger_condition_objects", { kind: "SipUser", type: "Ready", status: "True" }),
  );

async function expectAllReady(environment: OperatorEnvironment, users: number): Promise<void> {
  const { body } = await environment.client.send<{
    items: readonly { status?: { conditions?: readonly { type: string; status: string }[] } }[];
  }>("GET", collection("SipUser"));
  const ready = body.items.filter(({ status }) =>
    status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  if (ready.length !== users) throw new Error(`${ready.length} of ${users} SipUsers are Ready`);
}

interface Counts {
  readonly requests: number;
  readonly statements: number;
  readonly transactions: number;
}

async function countsOf({ database }: OperatorEnvironment, operator: OperatorPod): Promise<Counts> {
  const rows = await database.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_commit')",
  );
  const values = new Map(rows.map(({ Variable_name: name, Value: value }) => [name, Number(value)]));
  return {
    requests: await operator.total("rest_client_requests_total"),
    statements: values.get("Questions") ?? 0,
    transactions: values.get("Com_commit") ?? 0,
  };
}

const perUser = (
  { users }: OperatorPlan,
  before: WriteTime["cpu"],
  after: WriteTime["cpu"],
): WriteTime["cpu"] =>
  Object.fromEntries(
    Object.entries(after).map(([name, cpu]) => [name, Math.round((cpu - (before[name] ?? 0)) / users)]),
  );
