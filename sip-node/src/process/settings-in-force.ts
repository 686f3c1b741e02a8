/** The settings that a running node can change, in the form in which each message needs them. */
import { isDeepStrictEqual } from "node:util";
import { inRanges } from "../adapters/address-ranges.ts";
import type { Config, Settings } from "../config/config.ts";
import { type Addresses, addressesOf } from "../proxy/addresses.ts";
import type { Flow } from "../wire/flow.ts";

/** What differs between two settings. */
export interface SettingsChanges {
  readonly insideRanges: boolean;
  /** The user or the password of the database. */
  readonly login: boolean;
}

export class SettingsInForce {
  private settings: Settings;
  private derived: DerivedSettings;

  constructor(settings: Settings) {
    this.settings = settings;
    this.derived = derive(settings.config);
  }

  replace(settings: Settings): SettingsChanges {
    const [before, after] = [this.settings.config, settings.config];
    this.settings = settings;
    this.derived = derive(after);
    return {
      insideRanges: !isDeepStrictEqual(after.insideRanges, before.insideRanges),
      login: after.mysql.user !== before.mysql.user || after.mysql.password !== before.mysql.password,
    };
  }

  get hash(): string {
    return this.settings.hash;
  }

  get locationSocket(): string | undefined {
    return this.settings.config.sip.locationSocket;
  }

  get addresses(): Addresses {
    return this.derived.addresses;
  }

  /** IP addresses whose calls are trusted without a challenge. */
  get peers(): ReadonlySet<string> {
    return this.derived.peers;
  }

  isOutside(flow: Flow): boolean {
    return this.derived.isOutside(flow);
  }
}

interface DerivedSettings {
  readonly addresses: Addresses;
  readonly peers: ReadonlySet<string>;
  readonly isOutside: (flow: Flow) => boolean;
}

function derive({ sip, peers, insideRanges }: Config): DerivedSettings {
  const isInside = inRanges(insideRanges);
  return {
    addresses: addressesOf(sip.advertise, sip.former),
    peers: new Set(peers),
    isOutside: insideRanges.length === 0 ? () => false : ({ address }) => !isInside(address),
  };
}
