/**
 * The settings in force. They are read again when the mounted files change. Files with a problem change nothing. Valid files come into force
 * at once, except the settings that need a restart; the observer is notified of these.
 */
import { isDeepStrictEqual } from "node:util";
import { type Config, ConfigError, type Settings } from "./config.ts";
import { settingsToRestart } from "./settings-to-restart.ts";

export interface LiveSettingsDependencies {
  /** Throws `ConfigError`. */
  read(): Settings;
  /** Puts the settings into force that a running node can change. */
  apply(settings: Settings): void;
  readonly observer: LiveSettingsObserver;
}

export interface LiveSettingsObserver {
  refused(problems: readonly string[]): void;
  /** `restarts`: the names of the settings that need a restart. */
  applied(settings: Settings, restarts: readonly string[]): void;
}

export class LiveSettings {
  private readonly deps: LiveSettingsDependencies;
  private readonly initial: Config;
  private current: Settings;
  private problems: readonly string[] = [];

  /** `initial`: the settings with which the process started. */
  constructor(initial: Settings, deps: LiveSettingsDependencies) {
    this.initial = initial.config;
    this.current = initial;
    this.deps = deps;
  }

  /** The last valid configuration, also of settings that need a restart. */
  get config(): Config {
    return this.current.config;
  }

  get hash(): string {
    return this.current.hash;
  }

  /** The problems of the files when they were read last, and the names of the settings that need a restart. */
  get report(): { readonly problems: readonly string[]; readonly restarts: readonly string[] } {
    return { problems: this.problems, restarts: settingsToRestart(this.initial, this.current.config) };
  }

  /** Reads the files again. The observer is notified once of each change. */
  reread(): void {
    let next: Settings;
    try {
      next = this.deps.read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return this.refuse(error.problems);
    }
    const isChanged = !isDeepStrictEqual(next, this.current);
    if (!isChanged && this.problems.length === 0) return;
    this.problems = [];
    this.current = next;
    if (isChanged) this.deps.apply(next);
    this.deps.observer.applied(next, settingsToRestart(this.initial, next.config));
  }

  private refuse(problems: readonly string[]): void {
    if (isDeepStrictEqual(problems, this.problems)) return;
    this.problems = problems;
    this.deps.observer.refused(problems);
  }
}
