/** What `strowger up` was asked to do. */
export interface UpOptions {
  readonly once: boolean;
  /** Begin with an empty database. */
  readonly fresh: boolean;
  /** How many SIP nodes; undefined: what SipCluster.spec.replicas says. */
  readonly nodes: number | undefined;
  /** The UDP address and port that phones know; all nodes share it. */
  readonly address: string;
  readonly port: number;
  /** The folder of YAML that the operator watches. */
  readonly examples: string;
  /** A MySQL of the user's own (mysql://user:password@host:port/database); undefined: a private MariaDB. */
  readonly databaseUrl: string | undefined;
}
