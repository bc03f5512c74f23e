import { EMPTY, type Observable, of, Subject } from 'rxjs';
import { mapValue } from '../../operators/index.js';
import { type ConsoleApp, consoleOf } from '../../src/console/console-app.js';
import type { ConsoleAppOptions } from '../../src/console/options.js';
import { Monitor } from '../../src/core/monitor.js';
import type { FlowControl } from '../../src/flow/flow-control.js';
import type { Located } from '../../src/flow/located.js';
import { resetPreviewOf, resetsOf } from '../../src/flow/reset-preview.js';
import type { RunningFlow } from '../../src/flow/running-flows.js';
import type { TapOptions, Tapped } from '../../src/flow/tap.js';
import { type Flow, flow, kafkaSource, nullSink } from '../../src/index.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';

/** A flow that is only asked, and notes what it was asked for. */
export class FakeControl implements FlowControl {
  readonly name = 'chat';
  readonly asked: string[] = [];
  readonly taps: { readonly edge: number; readonly options: TapOptions; readonly values$: Subject<Tapped> }[] = [];
  readonly files = [
    { path: '/lake/a', stream: 'kafka:chat/0', firstOffset: 0, lastOffset: 9, values: 10, bytes: 100, atMs: 1_000 },
  ];
  readonly edges = 2;
  state: FlowControl['state'] = 'running';
  readonly #source = {
    positions: () => this.positions(),
    pauseChanged: () => undefined,
    settle: () => undefined,
    locate: () => undefined,
  };
  readonly files$ = EMPTY;
  get commands() {
    return this.state === 'paused' ? (['resume', 'roll', 'drain'] as const) : (['pause', 'roll', 'drain'] as const);
  }

  pause(): void {
    this.asked.push('pause');
    this.state = 'paused';
  }

  resume(): void {
    this.asked.push('resume');
    this.state = 'running';
  }

  roll(): void {
    this.asked.push('roll');
  }

  drain(): Observable<never> {
    this.asked.push('drain');
    return EMPTY;
  }

  locate(stream: string, offset: number): Located {
    if (stream !== 'kafka:chat/0') return { stream, offset, state: 'unknown', message: 'No such stream.' };
    const at = 'operator 1 mapValue';
    return {
      stream,
      offset,
      state: 'in flight',
      at,
      sinceSeconds: 3,
      holdsUp: 7,
      message: 'It is in operator 1 mapValue.',
    };
  }

  *positions() {
    yield { stream: 'kafka:chat/0', logEnd: 1_000, read: 700, released: 600, acked: 510, committed: 500 };
  }

  readonly resetPreview: FlowControl['resetPreview'] = (to, streams) =>
    resetPreviewOf(resetsOf([this.#source], to, streams));

  reset(...[to, streams]: Parameters<FlowControl['reset']>): ReturnType<FlowControl['reset']> {
    this.asked.push(`reset ${JSON.stringify(to)}`);
    return of({ ...this.resetPreview(to, streams), message: 'Moved.' });
  }

  offsetsAt(timeMs: number): ReturnType<FlowControl['offsetsAt']> {
    return of(new Map([['kafka:chat/0', timeMs / 1_000]]));
  }

  isTapped(edge: number): boolean {
    return this.taps.some((tap) => tap.edge === edge && tap.values$.observed);
  }

  tap(edge: number, options: TapOptions): Observable<Tapped> {
    const values$ = new Subject<Tapped>();
    this.taps.push({ edge, options, values$ });
    return values$;
  }

  /** A value passes the edge of the last tap. */
  passes(text: string, offset = 0): void {
    const value = { atMs: 0, stream: 'kafka:chat/0', offset, text, isCut: false, isRedacted: false, unseen: 0 };
    this.taps.at(-1)?.values$.next(value);
  }
}

export const chat: Flow<unknown> = flow(
  'chat',
  kafkaSource(new MemoryKafka(), { topics: ['chat'], groupId: 'lake' }),
  mapValue(String),
  nullSink().write(),
) as Flow<unknown>;

export interface FakeConsole {
  readonly app: ConsoleApp;
  readonly monitor: Monitor;
  readonly control: FakeControl;
  /** Asks as a program that is logged in. */
  readonly ask: (path: string, init?: Asked) => Promise<Response>;
}

export interface Asked {
  readonly method?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without what logs in. */
  readonly isStranger?: boolean;
}

export function fakeConsole(options: ConsoleAppOptions = {}, flow: Flow<unknown> = chat): FakeConsole {
  const monitor = options.monitor ?? new Monitor();
  const control = new FakeControl();
  const running: RunningFlow[] = [{ flow, control }];
  const app = consoleOf({ monitor, name: 'here', ...options }, () => running);
  const ask = (path: string, { method = 'GET', json, headers = {}, isStranger = false }: Asked = {}) => {
    const own: Record<string, string> = { host: 'localhost:9465' };
    if (!isStranger) own.authorization = `Bearer ${app.clientToken}`;
    if (json !== undefined) own['content-type'] = 'application/json';
    const body = json === undefined ? {} : { body: typeof json === 'string' ? json : JSON.stringify(json) };
    return app.fetch(
      new Request(`http://localhost:9465/${path}`, { method, headers: { ...own, ...headers }, ...body }),
    );
  };
  return { app, monitor, control, ask };
}

/** A flow as its metrics show it. */
export function noteMetrics(monitor: Monitor, records: number): void {
  const source = { flow: 'chat', source: 'kafka', name: 'lake' };
  const set = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
    monitor.metric(name, labels).set(value);
  set('rxflume_flow_state', { flow: 'chat', state: 'running' }, 1);
  set('rxflume_source_records_total', source, records);
  set('rxflume_source_bytes_total', source, records * 10);
  set('rxflume_source_emitted_records_total', source, records);
  set('rxflume_source_in_flight_records', source, 7);
  set('rxflume_source_backlog_records', { ...source, stream: 'kafka:chat/0' }, 300);
  set('rxflume_source_read_offset', { ...source, stream: 'kafka:chat/0' }, 700);
  set('rxflume_operator_received_total', { flow: 'chat', operator: '1 mapValue' }, records);
  set('rxflume_operator_emitted_total', { flow: 'chat', operator: '1 mapValue' }, records / 2);
  set('rxflume_sink_values_total', { flow: 'chat', sink: 'null', to: 'nowhere' }, records / 2);
  set('rxflume_sink_oldest_call_seconds', { flow: 'chat', sink: 'null', to: 'nowhere', call: 'write' }, 12);
}
