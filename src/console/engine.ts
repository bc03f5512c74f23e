import type { Observable } from 'rxjs';
import type { Flow } from '../flow/flow.js';

/** A flow that runs, with what the console may ask of this subscription of it. */
export interface ConsoleFlow {
  readonly flow: Flow<unknown>;
  readonly control: ConsoleControl;
}

/** What a flow that runs can be asked for. A command that it cannot do now throws. */
export interface ConsoleControl {
  readonly name: string;
  readonly state: string;
  readonly commands: readonly ('pause' | 'resume' | 'roll' | 'drain')[];
  pause(): void;
  resume(): void;
  roll(): void;
  drain(): Observable<never>;
  locate(stream: string, offset: number): LocatedRecord;
  positions(): Iterable<KnownPositions>;
  readonly edges: number;
  isTapped(edge: number): boolean;
  tap(edge: number, options: EdgeTapOptions): Observable<TappedValue>;
  readonly files: readonly CommittedFile[];
}

export interface LocatedRecord {
  readonly stream: string;
  readonly offset: number;
  readonly state: 'not read' | 'in flight' | 'settled' | 'committed' | 'gone' | 'unknown';
  readonly at?: string;
  readonly sinceSeconds?: number;
  readonly attempt?: number;
  readonly holdsUp?: number;
  readonly file?: string;
  readonly message: string;
}

export interface KnownPositions {
  readonly stream: string;
  readonly logStart?: number;
  readonly logEnd?: number;
  readonly read?: number;
  readonly released?: number;
  readonly acked?: number;
  readonly committed?: number;
}

export interface EdgeTapOptions {
  readonly contains?: string;
  readonly everyN?: number;
  readonly redact?: readonly string[];
}

export interface TappedValue {
  readonly atMs: number;
  readonly stream: string;
  readonly offset: number;
  readonly text: string;
  readonly isCut: boolean;
  readonly isRedacted: boolean;
  readonly unseen: number;
}

export interface CommittedFile {
  readonly path: string;
  readonly stream: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly values: number;
  readonly bytes: number;
  readonly atMs: number;
}

/** The flows that run in this process. */
export function runningFlows(): readonly ConsoleFlow[] {
  return [];
}
