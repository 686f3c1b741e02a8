/** Reports the response to a request: metrics, and at the log level debug one line for each final response. */
import type { Telemetry } from "../telemetry/metrics.ts";
import type { Flow } from "../wire/flow.ts";
import type { Request } from "../wire/message.ts";
import type { Ms } from "../wire/units.ts";
import type { ServerContext } from "./server-context.ts";

export interface RequestReportDependencies {
  readonly telemetry: Telemetry;
  clock(): Ms;
  /** Undefined while such lines are not logged, which is the default. */
  readonly logRequest: ((fields: Readonly<Record<string, unknown>>) => void) | undefined;
}

/**
 * Called before the context changes: `hasAnswered` and `hasRung` describe the responses before this one. From and To are what the sender claims;
 * the authenticated caller is `Routing.proven`.
 */
export function reportResponse(
  context: ServerContext,
  status: number,
  deps: RequestReportDependencies,
): void {
  const { telemetry } = deps;
  const { server, receivedAt, hasAnswered, hasRung } = context;
  const now = deps.clock();
  const duration = now - receivedAt;
  telemetry.response(server.method, status);
  if (server.isInvite && status > 100 && status < 200 && !hasRung) telemetry.ringing(duration);
  if (status < 200) return;
  if (server.isInvite && status < 300 && !hasAnswered && server.isInitial) telemetry.callAnswered(now);
  if (server.isInvite && !hasAnswered && status !== 407) telemetry.inviteAnswered(duration);
  if (status !== 401 && status !== 407 && server.request !== undefined)
    deps.logRequest?.(logFields(server.request, server.flow, status, duration));
}

function logFields(
  { method, callId, from, to }: Request,
  { key: source }: Flow,
  status: number,
  duration: Ms,
) {
  return { method, status, callId, from: from.uri, to: to.uri, source, ms: Math.round(duration) };
}
