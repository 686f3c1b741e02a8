/** The configuration in force, from a valid file, the environment of a pod, and the mounted files that the configuration names. */
import { isIP } from "node:net";
import { maxNodeName } from "../wire/limits.ts";
import { type HostPort, parseAddress, parseIp, parseRange } from "./addresses.ts";
import type { Capacity } from "./capacity.ts";
import type { Config } from "./config.ts";
import type { ConfigFile } from "./config-file.ts";
import { locationSocket } from "./location-socket.ts";

/** In a pod the environment has the name and the address, which no file can have. */
export interface PodEnvironment {
  readonly name: string | undefined;
  readonly ip: string | undefined;
}

/** The content of the mounted files; undefined if the configuration does not name them. */
export interface MountedSecrets {
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  readonly ca: string | undefined;
}

export function readPodEnvironment(environment: NodeJS.ProcessEnv, problems: string[]): PodEnvironment {
  const name = environment["STROWGER_NODE_NAME"];
  const ip = environment["STROWGER_POD_IP"];
  if (name !== undefined && name.length > maxNodeName)
    problems.push(`STROWGER_NODE_NAME: expected at most ${maxNodeName} characters; found ${name.length}`);
  if (ip !== undefined && isIP(ip) === 0)
    problems.push(`STROWGER_POD_IP: expected an IP address; found "${ip}"`);
  return { name, ip };
}

export const buildConfig = (
  file: ConfigFile,
  pod: PodEnvironment,
  secrets: MountedSecrets,
  capacity: Capacity,
): Config => ({
  name: pod.name ?? file.name,
  sip: buildSip(file),
  cluster: buildCluster(file, pod),
  http: addressOf(file.http.listen),
  control: addressOf(file.control.listen),
  mysql: buildMysql(file, secrets),
  peers: file.peers.map((peer) => valid(parseIp(peer))),
  drainTimeout: file.drain.timeoutSeconds * 1000,
  insideRanges: file.outside.ranges.map((range) => valid(parseRange(range))),
  maxTransactions: file.limits.transactions ?? capacity.transactions,
  maxFlows: capacity.flows,
  sourceLimits: file.limits.perSource,
  logLevel: file.log.level,
});

function buildSip({ sip }: ConfigFile): Config["sip"] {
  const listen = addressOf(sip.listen);
  const advertise = addressOf(sip.advertise);
  return {
    listen,
    reusePort: sip.reusePort,
    udpEngine: sip.udpEngine,
    tcp: sip.tcp,
    advertise,
    locationSocket: locationSocket(advertise),
    former: sip.former.map(addressOf),
    direct: sip.direct === undefined ? { host: listen.host, port: 0 } : addressOf(sip.direct),
  };
}

function buildCluster({ cluster }: ConfigFile, { ip }: PodEnvironment): Config["cluster"] {
  const listen = addressOf(cluster.listen);
  const advertise = addressOf(cluster.advertise ?? cluster.listen);
  return { listen, advertise: ip === undefined ? advertise : { host: ip, port: advertise.port } };
}

function buildMysql({ mysql }: ConfigFile, { credentials, ca }: MountedSecrets): Config["mysql"] {
  return {
    hosts: mysql.hosts.map(addressOf),
    user: credentials?.user ?? mysql.user ?? "",
    password: credentials?.password ?? mysql.password,
    database: mysql.database,
    connections: mysql.connections,
    tls: mysql.tls === undefined ? undefined : ca === undefined ? {} : { ca },
  };
}

const addressOf = (text: string): HostPort => valid(parseAddress(text));

/** The schema has checked the form of every address. */
function valid<Value>(parsed: Value | undefined): Value {
  if (parsed === undefined) throw new TypeError("the schema accepted an address that cannot be parsed");
  return parsed;
}
