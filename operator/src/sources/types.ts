/** Generated from /crds by generate-types.ts. Do not edit. */

export interface SipClusterSpec {
  /** How many SIP nodes serve this exchange. */
  readonly replicas: number;
  /** The address that phones know, for each transport. */
  readonly advertise?: {
    readonly udp?: {
      /** An address or a name that phones can reach. */
      readonly host: string;
      readonly port: number;
    };
  };
  /** Addresses of trunks and other proxies whose requests are served without a challenge. */
  readonly peers?: readonly string[];
}

export interface SipClusterStatus {
  readonly observedGeneration?: number;
  /** Names the database for good; rows of this exchange carry it. */
  readonly installationId?: string;
  /** SIP nodes that are alive by the database. */
  readonly nodes?: number;
  readonly addresses?: readonly {
    readonly transport: string;
    readonly host: string;
    readonly port: number;
  }[];
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
  /** The SipCluster that serves this domain, in the same namespace. */
  readonly clusterRef: {
    readonly name: string;
  };
  /** The host part of its users' addresses. Case does not matter; it is stored in lower case. */
  readonly domain: string;
  /** Other names of the same domain. */
  readonly aliases?: readonly string[];
  /** What phones are asked to authenticate for (RFC 3261 §22.1). The domain, where nothing is said. */
  readonly realm?: string;
  /** A domain that is not enabled is known and serves nobody. */
  readonly enabled: boolean;
  /** What a phone may ask for, in seconds and contacts. What is not said is the node's default. */
  readonly registration?: {
    readonly minExpires?: number;
    readonly defaultExpires?: number;
    readonly maxExpires?: number;
    readonly maxContacts?: number;
  };
  readonly auth?: {
    /** Offered in this order. MD5 alone, where nothing is said; SHA-256 beside it breaks older phones. */
    readonly algorithms?: readonly ("MD5" | "SHA-256")[];
  };
  /** Whether the rows go when this object goes. Delete, where nothing is said. */
  readonly deletionPolicy?: "Delete" | "Retain";
}

export interface SipDomainStatus {
  readonly observedGeneration?: number;
  readonly deletionPolicy?: string;
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
  /** The SipDomain that this user belongs to, in the same namespace. */
  readonly domainRef: {
    readonly name: string;
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
  /** Whether the rows go when this object goes. Delete, where nothing is said. */
  readonly deletionPolicy?: "Delete" | "Retain";
}

export interface SipUserStatus {
  readonly observedGeneration?: number;
  readonly deletionPolicy?: string;
  /** The address of record, as phones dial it. */
  readonly address?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: "True" | "False" | "Unknown";
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  }[];
}
