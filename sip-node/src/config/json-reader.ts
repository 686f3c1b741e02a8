/** Reads fields of a JSON value and notes what is not as expected: all problems of a file are told in one report. */
import { isIP, SocketAddress } from "node:net";
import { parseHostPort } from "../wire/uri.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A CIDR range of addresses. */
export interface AddressRange {
  readonly address: string;
  /** Leading bits that count. */
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

export class JsonReader {
  private readonly value: Readonly<Record<string, unknown>>;
  private readonly path: string;
  readonly problems: string[];

  constructor(value: unknown, path: string, problems: string[]) {
    this.path = path;
    this.problems = problems;
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      this.value = value as Record<string, unknown>;
    else {
      this.value = {};
      this.expected("", "an object");
    }
  }

  in(field: string): JsonReader {
    return new JsonReader(this.own(field) ?? {}, `${this.path}.${field}`, this.problems);
  }

  text(field: string, fallback?: string): string {
    const value = this.own(field) ?? fallback;
    if (typeof value === "string") return value;
    return this.expected(field, "a text") ?? "";
  }

  number(field: string, fallback: number, least: number): number {
    const value = this.own(field) ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
    return this.expected(field, `a whole number of at least ${least}`) ?? fallback;
  }

  flag(field: string): boolean {
    const value = this.own(field) ?? false;
    if (typeof value === "boolean") return value;
    return this.expected(field, "true or false") ?? false;
  }

  address(field: string, fallback?: string): HostPort {
    return this.asAddress(field, this.text(field, fallback));
  }

  list(field: string): readonly unknown[] {
    const value = this.own(field) ?? [];
    if (Array.isArray(value)) return value;
    return this.expected(field, "a list") ?? [];
  }

  addresses(field: string): readonly HostPort[] {
    return this.list(field).map((item, i) =>
      this.asAddress(`${field}[${i}]`, typeof item === "string" ? item : ""),
    );
  }

  /** Spelt as sockets spell them, because they are compared as text. */
  ips(field: string): readonly string[] {
    return this.list(field).map((item, i) => {
      const family = typeof item === "string" ? isIP(item) : 0;
      if (typeof item !== "string" || family === 0)
        return this.expected(`${field}[${i}]`, "an IP address") ?? "";
      return family === 4 ? item : new SocketAddress({ address: item, family: "ipv6" }).address;
    });
  }

  ranges(field: string): readonly AddressRange[] {
    return this.list(field).flatMap((item, i) => {
      const range = typeof item === "string" ? parseRange(item) : undefined;
      if (range === undefined) this.expected(`${field}[${i}]`, "a range of addresses as 10.0.0.0/8");
      return range ?? [];
    });
  }

  oneOf<Choice extends string>(field: string, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(field, fallback);
    return choices.find((choice) => choice === text) ?? this.expected(field, choices.join(", ")) ?? fallback;
  }

  has(field: string): boolean {
    return (this.own(field) ?? null) !== null;
  }

  expected(field: string, what: string): undefined {
    this.problems.push(`${this.path}${field === "" ? "" : `.${field}`}: expected ${what}`);
    return undefined;
  }

  /** What the file says, and nothing that every object inherits. */
  private own(field: string): unknown {
    return Object.hasOwn(this.value, field) ? this.value[field] : undefined;
  }

  private asAddress(field: string, text: string): HostPort {
    const zero = text.endsWith(":0");
    const found = parseHostPort(zero ? `${text.slice(0, -1)}1` : text);
    if (found?.port !== undefined) return { host: found.host, port: zero ? 0 : found.port };
    return this.expected(field, "host:port, with brackets around an IPv6 address") ?? { host: "", port: 0 };
  }
}

function parseRange(text: string): AddressRange | undefined {
  const [, address = "", digits = ""] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  const prefix = Number(digits);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return undefined;
  return { address, prefix, family: family === 4 ? "ipv4" : "ipv6" };
}
