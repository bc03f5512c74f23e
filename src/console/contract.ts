import type { CommittedFile } from '../flow/committed-file.js';

/**
 * What the console's server, its page and the commands `top`, `tap` and `why` say to each other: JSON over HTTP, below the path that
 * the console is mounted at.
 *
 * | request | answer |
 * |---|---|
 * | `GET /`, `GET /assets/<name>` | the page and its files; no session needed |
 * | `POST api/session` `{ token }` or `{ password }` | 204 and a cookie; 401; 429 after too many attempts |
 * | `DELETE api/session` | 204: the session is over |
 * | `GET api/snapshot` | `ConsoleSnapshot` |
 * | `GET api/history` | `ConsoleHistory` |
 * | `GET api/stream?tap=<id>…` | `text/event-stream`: events `snapshot`, `log`, `tap`, each with JSON as its data; a comment every 15 s |
 * | `GET api/why?stream=…&offset=…` | `WhyAnswer` |
 * | `POST api/taps` `TapRequest` | 201 `TapStarted`; 409 at the bound of taps |
 * | `GET api/taps/<id>` | `TapValues` |
 * | `DELETE api/taps/<id>` | 204 |
 * | `GET api/taps/<id>/test` | the tapped values as a marble test, a file that runs |
 * | `POST api/flows/<flow>/<command>` `{ confirm: true }` | `CommandDone`; 403 where read-only; 409 where it cannot be done now |
 * | `GET api/flows/<flow>/dead-letters`, `POST …/preview`, `…/replay`, `…/drop` | see `dead-letter-contract.ts` |
 * | `POST api/flows/<flow>/reset` `ResetRequest` | a `ResetPreview`; without `confirm` it changes nothing |
 *
 * Everything below `api/` but the session needs its cookie, or `Authorization: Bearer <token>`. A failure is a `ConsoleFailure`.
 *
 * A reader that is slow misses snapshots and taps; nothing is queued for it. A `log` event has its `seq` as the event's id: a new stream
 * begins with the last 100 lines, one with `Last-Event-ID` after that line. A tap ends half a minute after the last stream that asked
 * for it.
 */

/** One process at one moment. */
export interface ConsoleSnapshot {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Which process: its host and id, or what `--console-name` says. */
  readonly process: string;
  readonly version: string;
  /** Commands and taps are rejected. */
  readonly readOnly: boolean;
  readonly flows: readonly FlowView[];
  /** Whether rules of alerts run beside the flows. */
  readonly watchesAlerts: boolean;
  readonly alerts: readonly AlertView[];
  /** The other processes of the group. */
  readonly peers: readonly PeerView[];
}

/** Another process, as far as it answered. */
export interface PeerView {
  readonly process: string;
  readonly url: string;
  readonly ok: boolean;
  /** Why not. */
  readonly message?: string;
  readonly flows: readonly FlowView[];
}

export interface FlowView {
  readonly name: string;
  readonly state: 'running' | 'draining' | 'paused' | 'completed' | 'failed' | 'abandoned';
  /** Such as `exactly once`. */
  readonly guarantee: string;
  readonly why: string;
  readonly warnings: readonly string[];
  /** Of the oldest unsettled record. */
  readonly ageSeconds?: number;
  /** In order: source, operators, sink. */
  readonly parts: readonly PartView[];
  /** Edge n is between parts n and n + 1. */
  readonly edges: readonly EdgeView[];
  /** The part that the others wait for. */
  readonly culprit?: { readonly part: number; readonly because: string };
  readonly streams: readonly StreamView[];
  /** The last 100 that were committed, newest first. */
  readonly files: readonly CommittedFile[];
  /** How many, by the code of the error. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Where they are stored, and can be listed and replayed from here; see `dead-letter-contract.ts`. Absent where that is not known. */
  readonly deadLettersAt?: string;
  /** What may be done now; empty where read-only. */
  readonly commands: readonly FlowCommand[];
}

export type FlowCommand = 'pause' | 'resume' | 'drain' | 'roll' | 'reset';

export interface PartView {
  readonly kind: 'source' | 'operator' | 'sink';
  /** Such as `1 decode`. */
  readonly name: string;
  /** Such as `topic chat at k1:9092`. */
  readonly about: string;
  readonly inFlight?: number;
  /** For how long it has passed on and settled nothing, though it holds something. */
  readonly waitingSeconds?: number;
  readonly perSecond?: number;
  /** Since the start. */
  readonly failures?: number;
  /** Of the last minute: a source from passing a record on until its ack, a sink a write. Bounds of buckets, a factor of 2 apart. */
  readonly latencyMs?: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/** Rates are of the last 5 seconds. */
export interface EdgeView {
  readonly from: number;
  readonly to: number;
  readonly perSecond: number;
  readonly bytesPerSecond?: number;
  readonly inFlight?: number;
  readonly tapped: boolean;
}

/** One stream, such as `kafka:chat/3`. What is not known is absent. Offsets are those after the last. */
export interface StreamView {
  readonly stream: string;
  readonly logStart?: number;
  readonly logEnd?: number;
  readonly committed?: number;
  readonly acked?: number;
  readonly released?: number;
  readonly read?: number;
  readonly backlog?: number;
  readonly lag?: number;
  readonly ageSeconds?: number;
  /** Until retention may delete the oldest unsettled record. */
  readonly headroomSeconds?: number;
  readonly paused: boolean;
}

export interface AlertView {
  readonly name: string;
  /** Empty for one that is of no flow. */
  readonly flow: string;
  readonly phase: 'pending' | 'firing' | 'resolved';
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly message: string;
}

export interface LogLine {
  /** Rises by one a line, from 1. */
  readonly seq: number;
  readonly atMs: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly what: string;
  readonly message: string;
}

/** The last 15 minutes: a point every 5 s, and `null` where nothing was known. Points are of the same moments in every series. */
export interface ConsoleHistory {
  /** Seconds since 1970. */
  readonly seconds: readonly number[];
  /** By the name of the flow. */
  readonly flows: Readonly<Record<string, FlowHistory>>;
  /** By the name of the flow, each of its sources. */
  readonly latencies: Readonly<Record<string, readonly SourceLatencies[]>>;
}

type LatencySeries = 'settleP50' | 'settleP99' | 'ageP50' | 'ageP99';

/**
 * A series for each, in seconds: from passing a record on (`settle`), and from the record's own time (`age`), until its ack. Bounds of
 * buckets, a factor of 2 apart, of what was acked since the point before; `null` where that was nothing.
 */
export interface SourceLatencies extends Readonly<Record<LatencySeries, readonly (number | null)[]>> {
  readonly source: string;
}

/** A series for each: records and bytes a second that the source received, the age of the oldest unsettled record, and so on. */
export type FlowHistory = Readonly<
  Record<'perSecond' | 'bytesPerSecond' | 'ageSeconds' | 'backlog' | 'inFlight', readonly (number | null)[]>
>;

export interface TapRequest {
  readonly flow: string;
  /** Of `FlowView.edges`. */
  readonly edge: number;
  /** Only values whose text has this. */
  readonly contains?: string;
  /** Only one of so many, from 1. */
  readonly everyN?: number;
}

export interface TapStarted {
  readonly id: string;
}

/** The last 100 values, oldest first. */
export interface TapValues {
  readonly id: string;
  readonly flow: string;
  readonly edge: number;
  readonly values: readonly TapValue[];
  /** Values that a limit of the tap left out. */
  readonly dropped: number;
}

export interface TapValue {
  readonly tap: string;
  readonly atMs: number;
  readonly stream: string;
  readonly offset: number;
  /** As JSON where the value has a JSON form; bytes as text where they are UTF-8, otherwise in hexadecimal. */
  readonly text: string;
  /** It is longer than 64 KiB, and its end is missing. */
  readonly cut: boolean;
  /** Values of fields were replaced by `[redacted]`. */
  readonly redacted: boolean;
}

export interface WhyAnswer {
  readonly stream: string;
  readonly offset: number;
  readonly state: 'not read' | 'in flight' | 'settled' | 'committed' | 'gone' | 'unknown';
  /** Where it is: the operator or sink that took it last. */
  readonly at?: string;
  readonly sinceSeconds?: number;
  readonly attempt?: number;
  /** How many records behind it cannot be committed because of it. */
  readonly holdsUp?: number;
  /** The file that has it, or has offsets before and behind it. */
  readonly file?: string;
  /** One or two sentences. */
  readonly message: string;
}

export interface CommandDone {
  readonly message: string;
}

export interface ResetRequest {
  /** All of the flow's where absent. */
  readonly streams?: readonly string[];
  /** `time`: milliseconds since 1970. */
  readonly to: { readonly offset: number } | { readonly time: number };
  readonly confirm?: true;
}

export interface ResetPreview {
  readonly perStream: readonly {
    readonly stream: string;
    readonly from: number;
    readonly to: number;
    /** How many records are delivered again; negative: how many are skipped. */
    readonly redelivered: number;
  }[];
  readonly message: string;
}

export interface ConsoleFailure {
  /** An error code of rxflume. */
  readonly code: string;
  /** What failed, and what to do next. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
