/**
 * The settings in force: read again when the mounted files change. A file with a problem changes nothing; what can change in a running
 * node changes at once, and the rest is told.
 */
import { isDeepStrictEqual } from "node:util";
import { type Config, ConfigError, type Settings } from "./config.ts";
import { restarts } from "./restarts.ts";

export interface SettingsUser {
  /** Throws `ConfigError`. */
  read(): Settings;
  /** Puts in force what a running node can change. */
  apply(settings: Settings): void;
  refused(problems: readonly string[]): void;
  /** `waiting`: settings that need a restart, by their names. */
  applied(settings: Settings, waiting: readonly string[]): void;
}

export class LiveSettings {
  private readonly user: SettingsUser;
  private readonly begun: Config;
  private current: Settings;
  /** Of the files as they are now. */
  private problems: readonly string[] = [];

  constructor(begun: Settings, user: SettingsUser) {
    this.begun = begun.config;
    this.current = begun;
    this.user = user;
  }

  /** In force, but for what needs a restart. */
  get config(): Config {
    return this.current.config;
  }

  get hash(): string {
    return this.current.hash;
  }

  /** Of the files as they were read last. */
  get report(): { readonly problems: readonly string[]; readonly restarts: readonly string[] } {
    return { problems: this.problems, restarts: restarts(this.begun, this.current.config) };
  }

  /** Reads the files again. Each change is told once, however often they are read. */
  look(): void {
    let next: Settings;
    try {
      next = this.user.read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return this.refuse(error.problems);
    }
    const isChanged = !isDeepStrictEqual(next, this.current);
    if (!isChanged && this.problems.length === 0) return;
    this.problems = [];
    this.current = next;
    if (isChanged) this.user.apply(next);
    this.user.applied(next, restarts(this.begun, next.config));
  }

  private refuse(problems: readonly string[]): void {
    if (isDeepStrictEqual(problems, this.problems)) return;
    this.problems = problems;
    this.user.refused(problems);
  }
}
