import { type LogEvent, Monitor } from '../../../src/core/monitor.js';
import { httpSink } from '../../../src/sinks/http/http-sink.js';
import type { HttpSinkOptions } from '../../../src/sinks/http/options.js';
import { type HttpScript, MemoryHttp, type SeenRequest } from '../../../src/testing/memory/memory-http.js';
import { SinkRun } from '../../support/sink-run.js';

/** An HTTP sink that runs over a server in memory. One way takes 1 ms, retries wait 100, 200, 400 … ms. */
export class HttpRun<T = string> extends SinkRun<T> {
  readonly http: MemoryHttp;
  readonly monitor: Monitor;
  readonly logEvents: LogEvent[] = [];

  constructor(
    options: Partial<HttpSinkOptions<T>> = {},
    answer: (r: SeenRequest, n: number) => HttpScript = () => 200,
  ) {
    const http = new MemoryHttp();
    http.answer = answer;
    const monitor = new Monitor();
    const quick: HttpSinkOptions<T> = {
      url: 'http://store/chat',
      monitor,
      ...options,
      batch: options.body === 'single' ? {} : { count: 2, maxWaitMs: 10, ...options.batch },
      retry: { firstDelayMs: 100, jitter: 0, ...options.retry },
    };
    super(httpSink(http, quick).write());
    this.http = http;
    this.monitor = monitor;
    monitor.logEvents$.subscribe((logEvent) => this.logEvents.push(logEvent));
  }

  /** The bodies of all requests, JSON lines as `a,b`. */
  get bodies(): string[] {
    return this.http.seen.map(({ body }) => body.trim().replaceAll('\n', ',').replaceAll('"', ''));
  }

  get times(): number[] {
    return this.http.seen.map(({ at }) => at);
  }

  metric(name: string): number {
    return this.monitor.total(name);
  }
}
