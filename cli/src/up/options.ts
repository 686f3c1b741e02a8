/** The options of `strowger up`. */
export interface UpOptions {
  /** Run the self-check, stop, and exit with its status. */
  readonly once: boolean;
  /** Start with an empty database. */
  readonly fresh: boolean;
  /** The number of SIP nodes; undefined: SipCluster.spec.replicas. */
  readonly nodes: number | undefined;
  /** The UDP address and port that phones know; all nodes share it. */
  readonly address: string;
  readonly port: number;
  /** The folder of YAML that the operator watches. */
  readonly examples: string;
  /** An external MySQL (mysql://user:password@host:port/database); undefined: a private MariaDB. */
  readonly databaseUrl: string | undefined;
}
