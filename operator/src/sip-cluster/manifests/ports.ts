/** Ports of a node's pod, and the mount paths of its files. */
export const ports = { sip: 5060, direct: 5062, cluster: 7060, metrics: 8080, control: 8081 } as const;

export const mounts = {
  config: "/etc/strowger/config",
  keys: "/etc/strowger/keys",
  mysql: "/etc/strowger/mysql",
  mysqlCa: "/etc/strowger/mysql-ca",
} as const;
