/** A syslog message, as far as it could be read. */
export interface SyslogMessage {
  /** `unparsed`: it has no priority, and all of it is `message`. */
  readonly format: 'rfc5424' | 'rfc3164' | 'unparsed';
  /** From 0 to 23; 0 is the kernel, 16 to 23 are local. */
  readonly facility: number | undefined;
  /** From 0 (emergency) to 7 (debug). */
  readonly severity: number | undefined;
  /** Milliseconds since 1970, as the sender has it. Without a year and a zone in it (RFC 3164): in this process's zone. */
  readonly timestamp: number | undefined;
  readonly host: string | undefined;
  /** The program; in RFC 3164 the tag. */
  readonly app: string | undefined;
  readonly procId: string | undefined;
  readonly msgId: string | undefined;
  /** By the ID of the element, and by name; of a name that comes twice, the last. */
  readonly structuredData: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The text; bytes that are not UTF-8 are U+FFFD here, and as they were in `raw`. */
  readonly message: string;
  /** All that came, without the framing. */
  readonly raw: Uint8Array;
  /** Whether it was longer than `maxMessageBytes`, and only that much is here. */
  readonly isTruncated: boolean;
}

/** What is read of a message. */
export type SyslogFields = Omit<SyslogMessage, 'raw' | 'isTruncated'>;

export const NO_FIELDS = {
  facility: undefined,
  severity: undefined,
  timestamp: undefined,
  host: undefined,
  app: undefined,
  procId: undefined,
  msgId: undefined,
  structuredData: {},
} as const;
