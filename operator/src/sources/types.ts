/** Generated from /crds by generate-types.ts. Do not edit. */

export interface SipClusterSpec {
  /** Number of SIP nodes. An autoscaler writes it through the scale subresource. Defaults to 2. */
  readonly replicas: number;
  /** Tag of the SIP nodes' image, in the repository of the operator's default image. Set version or image, not both. Defaults to the version that the nodes already run; for a new SipCluster to the operator's default. */
  readonly version?: string;
  /** Full name of the SIP nodes' image. Set version or image, not both. Defaults to the image that the nodes already run; for a new SipCluster to the operator's default. */
  readonly image?: string;
  /** The MySQL or MariaDB database of this exchange. Two SipClusters cannot share one. On Kubernetes it is needed to serve anything. Defaults to none. */
  readonly mysql?: {
    /** Host names or IP addresses of the members of one database, without a port. The first ones are preferred. */
    readonly hosts: readonly string[];
    /** TCP port of the hosts. Defaults to 3306. */
    readonly port: number;
    /** Name of the database on the server. Defaults to opensips. */
    readonly database: string;
    /** Secret with the keys `username` and `password` with which the SIP nodes log in. This user needs no right to change tables (DDL). */
    readonly credentialsSecretRef: {
      /** Name of the Secret, in the namespace of this object. */
      readonly name: string;
    };
    /** Secret with the keys `username` and `password` with which the operator logs in. This user also migrates the tables. Defaults to credentialsSecretRef. */
    readonly adminCredentialsSecretRef?: {
      /** Name of the Secret, in the namespace of this object. */
      readonly name: string;
    };
    /** Encrypts connections to the database and verifies the server's certificate and its name. An empty object is enough. Defaults to no encryption. */
    readonly tls?: {
      /** Secret with the certificate of the authority (CA) that signed the server's certificate. Defaults to the public authorities. */
      readonly caSecretRef?: {
        /** Name of the Secret, in the namespace of this object. */
        readonly name: string;
        /** Key of the Secret with the certificate in PEM format. Defaults to ca.crt. */
        readonly key: string;
      };
    };
  };
  /** The Service through which phones reach the SIP nodes. Defaults to one Service of type LoadBalancer. */
  readonly service: {
    /** Mixed makes one Service for all transports. Separate makes one Service for each transport; it is refused until SIP nodes serve more than UDP. Defaults to Mixed. */
    readonly mode: "Mixed" | "Separate";
    /** Type of the Service. NodePort and ClusterIP need an address in spec.advertise.udp. Defaults to LoadBalancer. */
    readonly type: "LoadBalancer" | "NodePort" | "ClusterIP";
    /** Annotations of the Service, for example settings of a cloud's load balancer. Defaults to none. */
    readonly annotations?: Readonly<Record<string, string>>;
    /** Class of the load balancer, as in core/v1. Only with type LoadBalancer. Defaults to the Kubernetes cluster's default. */
    readonly loadBalancerClass?: string;
    /** IP address to request from the load balancer, as in core/v1. Only with type LoadBalancer. Defaults to an address that the load balancer chooses. */
    readonly loadBalancerIP?: string;
  };
  /** The addresses that phones use and that SIP nodes write into messages. Defaults to the address of the Service. */
  readonly advertise?: {
    /** Address for SIP over UDP. Defaults to the address of the Service. */
    readonly udp?: {
      /** Host name or IP address that phones can reach, without a port. */
      readonly host: string;
      /** UDP port that phones use. */
      readonly port: number;
    };
    /** Address for SIP over TCP. Refused until SIP nodes serve TCP. Defaults to none. */
    readonly tcp?: Readonly<Record<string, unknown>>;
    /** Address for SIP over TLS. Refused until SIP nodes serve TLS. Defaults to none. */
    readonly tls?: Readonly<Record<string, unknown>>;
    /** Address for SIP over WebSocket. Refused until SIP nodes serve WebSocket. Defaults to none. */
    readonly ws?: Readonly<Record<string, unknown>>;
  };
  /** How a SIP node shuts down. Defaults to the defaults of its fields. */
  readonly drain: {
    /** Time in seconds for a SIP node to finish its transactions before it ends. Its Pod is killed 30 seconds later. Defaults to 240. */
    readonly timeoutSeconds: number;
  };
  /** SipDomains of other namespaces that this exchange serves. SipDomains of its own namespace are always served. Defaults to none. */
  readonly allowedDomains?: readonly {
    /** Namespaces of the SipDomains, by name or by label. A namespace is allowed if names or selector matches it. */
    readonly namespaces: {
      /** Names of namespaces. Defaults to none. */
      readonly names?: readonly string[];
      /** Selects namespaces by their labels. An empty selector selects every namespace. Defaults to none. */
      readonly selector?: {
        /** Labels. A namespace must have all of them. Defaults to none. */
        readonly matchLabels?: Readonly<Record<string, string>>;
        /** Conditions on labels. A namespace must meet all of them, as in a LabelSelector of Kubernetes. Defaults to none. */
        readonly matchExpressions?: readonly {
          /** Name of the label. */
          readonly key: string;
          /** How the label is compared with the values. */
          readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
          /** Values of the label. In and NotIn need them, Exists and DoesNotExist take none. Defaults to none. */
          readonly values?: readonly string[];
        }[];
      };
    };
    /** Domain names. A SipDomain's domain and each of its aliases must be one of these or a subdomain of one of these. Defaults to any domain. */
    readonly suffixes?: readonly string[];
  }[];
  /** IP addresses of trunks and other proxies. Calls from them are not challenged; a REGISTER is always challenged. Defaults to none. */
  readonly peers?: readonly string[];
  /** CPU and memory of each SIP node, as in core/v1. A node uses at most one CPU core. Defaults to requests of cpu 250m and memory 256Mi and a limit of memory 512Mi. */
  readonly resources?: {
    /** Quantities that are reserved for a node, by resource name: cpu, memory. Defaults to none if resources is set. */
    readonly requests?: Readonly<Record<string, number | string>>;
    /** Quantities that a node cannot exceed, by resource name: cpu, memory. Defaults to none if resources is set. */
    readonly limits?: Readonly<Record<string, number | string>>;
  };
  /** Additions to the Pods of the SIP nodes. A change replaces all Pods, one after the other. Defaults to nothing. */
  readonly template?: {
    /** Metadata of the Pods. Defaults to nothing. */
    readonly metadata?: {
      /** Labels that are added to the Pods. Defaults to none. */
      readonly labels?: Readonly<Record<string, string>>;
      /** Annotations that are added to the Pods. Defaults to none. */
      readonly annotations?: Readonly<Record<string, string>>;
    };
    /** Fields of the Pods, as in core/v1. Defaults to the operator's values. */
    readonly spec?: {
      /** Labels of the Kubernetes nodes that may run the Pods. Defaults to none. */
      readonly nodeSelector?: Readonly<Record<string, string>>;
      /** Taints of Kubernetes nodes that the Pods tolerate, in addition to not-ready and unreachable, which they tolerate for 30 seconds. Defaults to none. */
      readonly tolerations?: readonly {
        /** Key of the taint. Defaults to every key. */
        readonly key?: string;
        /** Exists accepts any value, Equal only the value in this object. Defaults to Equal. */
        readonly operator?: "Exists" | "Equal";
        /** Value of the taint. Defaults to no value. */
        readonly value?: string;
        /** Effect of the taint. Defaults to every effect. */
        readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
        /** Seconds that a Pod stays on a Kubernetes node after a taint with effect NoExecute appeared. Defaults to no limit. */
        readonly tolerationSeconds?: number;
      }[];
      /** Affinity of the Pods, as in core/v1. Defaults to none. */
      readonly affinity?: Readonly<Record<string, unknown>>;
      /** How the Pods are spread, as in core/v1, instead of the operator's own constraint. Defaults to spreading over Kubernetes nodes if possible. */
      readonly topologySpreadConstraints?: readonly Readonly<Record<string, unknown>>[];
      /** Name of the Pods' PriorityClass. Defaults to the Kubernetes cluster's default. */
      readonly priorityClassName?: string;
      /** Name of the Pods' RuntimeClass. Defaults to the Kubernetes cluster's default. */
      readonly runtimeClassName?: string;
      /** Name of the scheduler that places the Pods. Defaults to the Kubernetes cluster's default. */
      readonly schedulerName?: string;
      /** Secrets with credentials for the image's registry. Defaults to the chart's value sipNode.imagePullSecrets. */
      readonly imagePullSecrets?: readonly {
        /** Name of the Secret, in the namespace of this object. */
        readonly name: string;
      }[];
      /** Security context of the Pods, as in core/v1. Fields that it does not set keep the operator's values. Defaults to the requirements of the Pod Security Standard `restricted`. */
      readonly securityContext?: Readonly<Record<string, unknown>>;
    };
  };
}

export interface SipClusterStatus {
  /** Generation of the spec that this status refers to. */
  readonly observedGeneration?: number;
  /** Random id of this exchange in its database. Rows that the operator wrote contain it. */
  readonly installationId?: string;
  /** Tag, or digest, of the image that SIP nodes served with last; absent until the first node serves. */
  readonly version?: string;
  /** Full name of that image. Nodes keep it while the spec has no version and no image. */
  readonly image?: string;
  /** Addresses for phones. */
  readonly addresses?: readonly {
    /** SIP transport, such as udp. */
    readonly transport: string;
    /** Host name or IP address. */
    readonly host: string;
    /** Port of the transport. */
    readonly port: number;
  }[];
  /** DNS records for the zones of the exchange's domains, one in each item. With them phones find the addresses by name (RFC 3263). */
  readonly dnsRecords?: readonly string[];
  /** Number of SIP nodes that write heartbeats to the database. */
  readonly nodes?: number;
  /** Number of SIP nodes that write heartbeats to the database and are not draining. */
  readonly readyNodes?: number;
  /** Number of registered contacts. */
  readonly registrations?: number;
  /** Number of calls that were answered in the last minute. */
  readonly callsPerMinute?: number;
  /** Label selector of the SIP nodes' Pods, for autoscalers. */
  readonly selector?: string;
  /** Conditions of this object. docs/runbooks explains each reason. */
  readonly conditions?: readonly {
    /** Name of the condition, such as Ready. */
    readonly type: string;
    /** True, False, or Unknown. */
    readonly status: "True" | "False" | "Unknown";
    /** Cause as one word, for programs. */
    readonly reason: string;
    /** Cause as text for people, and what to do. */
    readonly message: string;
    /** Time of the last change of this condition's status. */
    readonly lastTransitionTime: string;
    /** Generation of the spec that this condition refers to. */
    readonly observedGeneration?: number;
  }[];
}

export interface SipDomainSpec {
  /** The SipCluster that serves this domain. Immutable. */
  readonly clusterRef: {
    /** Name of the SipCluster. */
    readonly name: string;
    /** Namespace of the SipCluster; its allowedDomains must allow this domain. Defaults to the namespace of this object. */
    readonly namespace?: string;
  };
  /** Host part of its users' addresses; upper and lower case are equal. A host name, `localhost` or an IPv4 address. Immutable. */
  readonly domain: string;
  /** Other names of the same domain. A call to an alias reaches the same users. Defaults to none. */
  readonly aliases?: readonly string[];
  /** Realm of digest authentication (RFC 3261 §22.1). Immutable. Defaults to the domain. */
  readonly realm?: string;
  /** False disables the domain: its rows stay, and nobody can register or call. Defaults to true. */
  readonly enabled: boolean;
  /** Limits for registrations in this domain. Defaults to the defaults of its fields. */
  readonly registration?: {
    /** Shortest registration time in seconds; a request for a shorter time is refused with 423 (Interval Too Brief). Defaults to 60. */
    readonly minExpiresSeconds?: number;
    /** Registration time in seconds if the phone requests none. Defaults to 3600. */
    readonly defaultExpiresSeconds?: number;
    /** Longest registration time in seconds; a request for a longer time is shortened. Phones behind NAT get at most 120 seconds. Defaults to 7200. */
    readonly maxExpiresSeconds?: number;
    /** Largest number of registered contacts (phones) of one user. Defaults to 10. */
    readonly maxContacts?: number;
    /** What happens when a user registers more contacts than maxContacts. ReplaceOldest removes an old contact of the same phone, or else the contact with the oldest refresh. Reject answers 500. Defaults to ReplaceOldest. */
    readonly onMaxContacts?: "ReplaceOldest" | "Reject";
  };
  /** How users of this domain authenticate. Defaults to the defaults of its fields. */
  readonly auth?: {
    /** Hash algorithms of digest authentication, offered in this order. Older phones fail when SHA-256 is offered. Defaults to MD5 alone. */
    readonly algorithms?: readonly ("MD5" | "SHA-256")[];
  };
  /** Which calls reach the users of this domain. Defaults to the defaults of its fields. */
  readonly calls?: {
    /** Whether anonymous callers may call users of this domain or send them messages, also through a peer. A caller is anonymous by its From or by its Privacy header (RFC 5079). Reject answers 433 (Anonymity Disallowed): the caller's phone shows a failed call, and the called phone does not ring. Defaults to Allow. */
    readonly anonymousCallers?: "Allow" | "Reject";
  };
  /** Other namespaces whose SipUsers may belong to this domain, by name or by label. SipUsers of its own namespace are always allowed. Defaults to none. */
  readonly allowedNamespaces?: {
    /** Names of namespaces. Defaults to none. */
    readonly names?: readonly string[];
    /** Selects namespaces by their labels. An empty selector selects every namespace. Defaults to none. */
    readonly selector?: {
      /** Labels. A namespace must have all of them. Defaults to none. */
      readonly matchLabels?: Readonly<Record<string, string>>;
      /** Conditions on labels. A namespace must meet all of them, as in a LabelSelector of Kubernetes. Defaults to none. */
      readonly matchExpressions?: readonly {
        /** Name of the label. */
        readonly key: string;
        /** How the label is compared with the values. */
        readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
        /** Values of the label. In and NotIn need them, Exists and DoesNotExist take none. Defaults to none. */
        readonly values?: readonly string[];
      }[];
    };
  };
  /** What to do with rows of this domain that another tool made. Never reports a conflict. Observe reads and writes nothing. Adopt takes the rows over and keeps values that this spec does not set. Enforce takes them over and overwrites them. Defaults to Never. */
  readonly adoptionPolicy: "Never" | "Observe" | "Adopt" | "Enforce";
  /** What happens to the rows in the database when this object is deleted. Defaults to Delete for rows that this object made and to Retain for rows that it adopted. */
  readonly deletionPolicy?: "Delete" | "Retain";
}

export interface SipDomainStatus {
  /** Generation of the spec that this status refers to. */
  readonly observedGeneration?: number;
  /** What happens to the rows when this object is deleted, Delete or Retain. */
  readonly deletionPolicy?: string;
  /** Number of SipUsers with rows in this domain. */
  readonly users?: number;
  /** Number of registered contacts in this domain. */
  readonly registrations?: number;
  /** Conditions of this object. docs/runbooks explains each reason. */
  readonly conditions?: readonly {
    /** Name of the condition, such as Ready. */
    readonly type: string;
    /** True, False, or Unknown. */
    readonly status: "True" | "False" | "Unknown";
    /** Cause as one word, for programs. */
    readonly reason: string;
    /** Cause as text for people, and what to do. */
    readonly message: string;
    /** Time of the last change of this condition's status. */
    readonly lastTransitionTime: string;
    /** Generation of the spec that this condition refers to. */
    readonly observedGeneration?: number;
  }[];
}

export interface SipUserSpec {
  /** The SipDomain that this user belongs to. Immutable. */
  readonly domainRef: {
    /** Name of the SipDomain. */
    readonly name: string;
    /** Namespace of the SipDomain; its allowedNamespaces must allow this user. Defaults to the namespace of this object. */
    readonly namespace?: string;
  };
  /** User part of the address (RFC 3261 §25.1, without escapes), and the login name of phones. It is case-sensitive. Immutable. */
  readonly username: string;
  /** Secret with the password. Set only one of passwordSecretRef, ha1SecretRef and generatePassword. Defaults to none. */
  readonly passwordSecretRef?: {
    /** Name of the Secret, in the namespace of this object. */
    readonly name: string;
    /** Key of the Secret with the password. Defaults to password. */
    readonly key: string;
  };
  /** Secret with a hash instead of the password. Set only one of passwordSecretRef, ha1SecretRef and generatePassword. Defaults to none. */
  readonly ha1SecretRef?: {
    /** Name of the Secret, in the namespace of this object. */
    readonly name: string;
    /** Key of the Secret with MD5(username:realm:password) in hexadecimal. The key with the suffix `_sha256` may contain the SHA-256 hash of the same text. The keys with the suffixes `b` and `b_sha256` may contain both hashes of username@domain:realm:password, for phones that log in with their address. Defaults to ha1. */
    readonly key: string;
  };
  /** True makes a random password once, in the Secret `<name>-sip-password`. Set only one of passwordSecretRef, ha1SecretRef and generatePassword. Defaults to false. */
  readonly generatePassword?: boolean;
  /** Name of the person. It is stored in the database; SIP nodes do not use it. Defaults to none. */
  readonly displayName?: string;
  /** Other user parts of this user, such as extension numbers. Calls to them reach this user. Defaults to none. */
  readonly aliases?: readonly string[];
  /** False disables the user: its rows stay, and it can neither register nor be called. Defaults to true. */
  readonly enabled: boolean;
  /** Largest number of registered contacts (phones). Defaults to registration.maxContacts of the SipDomain. */
  readonly maxContacts?: number;
  /** What to do with a row of this user that another tool made. Never reports a conflict. Observe reads and writes nothing. Adopt takes the row over and keeps values that this spec does not set. Enforce takes it over and overwrites it. Defaults to Never. */
  readonly adoptionPolicy: "Never" | "Observe" | "Adopt" | "Enforce";
  /** What happens to the rows in the database when this object is deleted. Defaults to Delete for rows that this object made and to Retain for rows that it adopted. */
  readonly deletionPolicy?: "Delete" | "Retain";
}

export interface SipUserStatus {
  /** Generation of the spec that this status refers to. */
  readonly observedGeneration?: number;
  /** What happens to the rows when this object is deleted, Delete or Retain. */
  readonly deletionPolicy?: string;
  /** Address of record of the user. */
  readonly address?: string;
  /** Whether any phone is registered, as of the operator's last check. */
  readonly registered?: boolean;
  /** Number of registered contacts (phones). */
  readonly contacts?: number;
  /** Time when the first of the registered phones registered. */
  readonly registeredSince?: string;
  /** Resource version of the Secret with the credential in force. */
  readonly secretResourceVersion?: string;
  /** Conditions of this object. docs/runbooks explains each reason. */
  readonly conditions?: readonly {
    /** Name of the condition, such as Ready. */
    readonly type: string;
    /** True, False, or Unknown. */
    readonly status: "True" | "False" | "Unknown";
    /** Cause as one word, for programs. */
    readonly reason: string;
    /** Cause as text for people, and what to do. */
    readonly message: string;
    /** Time of the last change of this condition's status. */
    readonly lastTransitionTime: string;
    /** Generation of the spec that this condition refers to. */
    readonly observedGeneration?: number;
  }[];
}
