/** Generated from /crds by generate-types.ts. Do not edit. */

export interface SipClusterSpec {
  /** How many SIP nodes serve this exchange. An autoscaler writes it through the scale subresource. */
  readonly replicas: number;
  /** Pins the nodes to this tag of the operator's default image; without it they stay at the version that they were made with. */
  readonly version?: string;
  /** Pins the nodes to this image, wherever it comes from. */
  readonly image?: string;
  /** The database of this exchange, and of no other one. */
  readonly mysql?: {
    /** Members of one database, the preferred one first. */
    readonly hosts: readonly string[];
    readonly port: number;
    readonly database: string;
    /** The nodes' `username` and `password`, in a Secret of the same namespace. They need no DDL. */
    readonly credentialsSecretRef: {
      readonly name: string;
    };
    /** The operator's `username` and `password`, who also migrates. Those of the nodes, where nothing is said. */
    readonly adminCredentialsSecretRef?: {
      readonly name: string;
    };
    /** Connections are encrypted and the server's certificate is held against its name. */
    readonly tls?: {
      /** Who signed the server's certificate. The usual authorities, where nothing is said. */
      readonly caSecretRef?: {
        readonly name: string;
        readonly key: string;
      };
    };
  };
  /** How the nodes are reached from outside. */
  readonly service: {
    /** One Service for all transports, or one for each, for load balancers that cannot mix UDP and TCP. */
    readonly mode: "Mixed" | "Separate";
    readonly type: "LoadBalancer" | "NodePort" | "ClusterIP";
    /** What a cloud's load balancer is told. */
    readonly annotations?: Readonly<Record<string, string>>;
    readonly loadBalancerClass?: string;
    readonly loadBalancerIP?: string;
  };
  /** The address that phones know, for each transport. That of the Service, where nothing is said. */
  readonly advertise?: {
    readonly udp?: {
      /** An address or a name that phones can reach. */
      readonly host: string;
      readonly port: number;
    };
    readonly tcp?: {
      /** An address or a name that phones can reach. */
      readonly host: string;
      readonly port: number;
    };
    readonly tls?: {
      /** An address or a name that phones can reach. */
      readonly host: string;
      readonly port: number;
    };
    readonly ws?: {
      /** An address or a name that phones can reach. */
      readonly host: string;
      readonly port: number;
    };
  };
  readonly drain: {
    /** Seconds that a node has to finish what it has begun before it ends. */
    readonly timeoutSeconds: number;
  };
  /** SipDomains of other namespaces that this exchange serves. Those of its own namespace always are, and without this no others. */
  readonly allowedDomains?: readonly {
    /** By name or by label. */
    readonly namespaces: {
      readonly names?: readonly string[];
      /** Labels of namespaces; every namespace, where it says nothing. */
      readonly selector?: {
        readonly matchLabels?: Readonly<Record<string, string>>;
        readonly matchExpressions?: readonly {
          readonly key: string;
          readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
          readonly values?: readonly string[];
        }[];
      };
    };
    /** A domain must be one of these or below one of these. Any domain, where nothing is said. */
    readonly suffixes?: readonly string[];
  }[];
  /** Addresses of trunks and other proxies whose requests are served without a challenge. */
  readonly peers?: readonly string[];
  /** What a node asks for and may use. One node uses one core. */
  readonly resources?: {
    /** cpu, memory ... */
    readonly requests?: Readonly<Record<string, number | string>>;
    /** cpu, memory ... */
    readonly limits?: Readonly<Record<string, number | string>>;
  };
  /** What is added to the pods of the nodes. */
  readonly template?: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    /** Fields of a pod, as core/v1 has them. */
    readonly spec?: {
      readonly nodeSelector?: Readonly<Record<string, string>>;
      readonly tolerations?: readonly {
        readonly key?: string;
        readonly operator?: "Exists" | "Equal";
        readonly value?: string;
        readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
        readonly tolerationSeconds?: number;
      }[];
      readonly affinity?: Readonly<Record<string, unknown>>;
      /** In the place of the operator's own. */
      readonly topologySpreadConstraints?: readonly Readonly<Record<string, unknown>>[];
      readonly priorityClassName?: string;
      readonly runtimeClassName?: string;
      readonly schedulerName?: string;
      readonly imagePullSecrets?: readonly {
        readonly name: string;
      }[];
      readonly securityContext?: Readonly<Record<string, unknown>>;
    };
  };
}

export interface SipClusterStatus {
  readonly observedGeneration?: number;
  /** Names the database for good; rows of this exchange carry it. */
  readonly installationId?: string;
  /** Of the nodes; kept while the spec is silent. */
  readonly version?: string;
  /** Of the nodes; kept while the spec is silent. */
  readonly image?: string;
  /** What phones are told to use. */
  readonly addresses?: readonly {
    readonly transport: string;
    readonly host: string;
    readonly port: number;
  }[];
  /** Records for the zones of its domains, a line each, so that phones find the addresses by name (RFC 3263). */
  readonly dnsRecords?: readonly string[];
  /** SIP nodes that are alive by the database. */
  readonly nodes?: number;
  /** SIP nodes that are alive and not about to leave. */
  readonly readyNodes?: number;
  /** Contacts that are registered now. */
  readonly registrations?: number;
  /** Calls that were answered in the last minute. */
  readonly callsPerMinute?: number;
  /** Labels of the nodes' pods, for autoscalers. */
  readonly selector?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: "True" | "False" | "Unknown";
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  }[];
}

export interface SipDomainSpec {
  /** The SipCluster that serves this domain, in the same namespace where it names none. */
  readonly clusterRef: {
    readonly name: string;
    readonly namespace?: string;
  };
  /** The host part of its users' addresses. Case does not matter; it is stored in lower case. An IPv4 address and `localhost` are allowed, for exchanges without DNS; `invalid` and what is below it are not. */
  readonly domain: string;
  /** Other names of the same domain. */
  readonly aliases?: readonly string[];
  /** What phones are asked to authenticate for (RFC 3261 §22.1). The domain, where nothing is said. */
  readonly realm?: string;
  /** A domain that is not enabled is known and serves nobody. */
  readonly enabled: boolean;
  /** What a phone may ask for, in seconds and contacts. What is not said is the node's default. */
  readonly registration?: {
    readonly minExpiresSeconds?: number;
    readonly defaultExpiresSeconds?: number;
    readonly maxExpiresSeconds?: number;
    readonly maxContacts?: number;
  };
  readonly auth?: {
    /** Offered in this order. MD5 alone, where nothing is said; SHA-256 beside it breaks older phones. */
    readonly algorithms?: readonly ("MD5" | "SHA-256")[];
  };
  /** Namespaces whose SipUsers may be of this domain, besides its own. */
  readonly allowedNamespaces?: {
    readonly names?: readonly string[];
    /** Labels of namespaces; every namespace, where it says nothing. */
    readonly selector?: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly {
        readonly key: string;
        readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
        readonly values?: readonly string[];
      }[];
    };
  };
  /** What to do about rows of the domain that another tool made. Never: nothing, it is a conflict. Observe: look, and write nothing. Adopt: take over, and leave what this spec does not say. Enforce: take over, and overwrite. */
  readonly adoptionPolicy: "Never" | "Observe" | "Adopt" | "Enforce";
  /** Whether the rows go when this object goes. Where nothing is said, those that it made do, and those that it adopted stay. */
  readonly deletionPolicy?: "Delete" | "Retain";
}

export interface SipDomainStatus {
  readonly observedGeneration?: number;
  /** What will happen to the rows. */
  readonly deletionPolicy?: string;
  /** SipUsers that have rows in this domain. */
  readonly users?: number;
  /** Contacts that are registered now. */
  readonly registrations?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: "True" | "False" | "Unknown";
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  }[];
}

export interface SipUserSpec {
  /** The SipDomain that this user belongs to, in the same namespace where it names none. */
  readonly domainRef: {
    readonly name: string;
    readonly namespace?: string;
  };
  /** The user part of the address (RFC 3261 §25.1, without escapes), also the name to log in with. Case matters. */
  readonly username: string;
  /** The password, in a Secret of the same namespace. */
  readonly passwordSecretRef?: {
    readonly name: string;
    readonly key: string;
  };
  /** The hash instead of the password: `key` holds hex MD5(username:realm:password), and `key` followed by `_sha256`, if it is there, hex SHA-256 of the same. */
  readonly ha1SecretRef?: {
    readonly name: string;
    readonly key: string;
  };
  /** Makes a password, once, and keeps it in the Secret `<name>-sip-password`. */
  readonly generatePassword?: boolean;
  readonly displayName?: string;
  /** Other user parts that reach this user, such as extension numbers. */
  readonly aliases?: readonly string[];
  /** A user that is not enabled keeps its rows and can neither register nor be called. */
  readonly enabled: boolean;
  /** How many phones may be registered at once. The domain's number, where nothing is said. */
  readonly maxContacts?: number;
  /** What to do about a row of this name that another tool made. Never: nothing, it is a conflict. Observe: look, and write nothing. Adopt: take over, and leave what this spec does not say. Enforce: take over, and overwrite. */
  readonly adoptionPolicy: "Never" | "Observe" | "Adopt" | "Enforce";
  /** Whether the rows go when this object goes. Where nothing is said, those that it made do, and those that it adopted stay. */
  readonly deletionPolicy?: "Delete" | "Retain";
}

export interface SipUserStatus {
  readonly observedGeneration?: number;
  /** What will happen to the rows. */
  readonly deletionPolicy?: string;
  /** The address of record, as phones dial it. */
  readonly address?: string;
  /** Whether any phone is registered. As of the last look, which may be minutes ago. */
  readonly registered?: boolean;
  /** How many phones are registered. */
  readonly contacts?: number;
  /** When the first of them registered. */
  readonly registeredSince?: string;
  /** Of the Secret whose credential is in force. */
  readonly secretResourceVersion?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: "True" | "False" | "Unknown";
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  }[];
}
