import { from, type Observable, type Subscription } from 'rxjs';
import { Queue } from '../../core/queue.js';
import { shownText } from '../../core/text.js';
import { KiB } from '../../core/units.js';
import { AckGroup } from '../../delivery/ack-group.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { FlushListeners } from '../../delivery/flush-listeners.js';
import { nackErrorOf, nackErrorOfThrown, staleError, stoppedError } from '../../delivery/nack-errors.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import type { TextOutput } from '../../ports/text-output.js';
import type { CheckedOptions } from './options.js';

/** The most text in one write, in characters, unless one line is longer. */
const WRITE_CHARACTERS = 64 * KiB;

/** Lines of one stream that are written together. */
interface Lines {
  readonly text: string;
  readonly parts: readonly Delivery<string>[];
}

/** One subscription of a console sink: one write after the other, each of the lines of one stream that wait. */
export class ConsoleSinkSession<T> implements SinkSession<T> {
  readonly #output: TextOutput;
  readonly #options: CheckedOptions<T>;
  readonly #lifecycle: SinkLifecycle;
  readonly #metrics;
  readonly #waiting = new Queue<Delivery<string>>();
  /** Taken from the queue, and the first of the next write: it is of another stream, or too long for the last. */
  #next: Delivery<string> | undefined;
  #writing: { readonly lines: Lines; readonly subscription?: Subscription } | undefined;
  readonly #flushListeners: FlushListeners;
  #isOver = false;

  constructor(output: TextOutput, options: CheckedOptions<T>, lifecycle: SinkLifecycle) {
    this.#output = output;
    this.#options = options;
    this.#lifecycle = lifecycle;
    // What waits is written as fast as the output takes it, whatever a source wants.
    this.#flushListeners = new FlushListeners({ asked: () => undefined, over: (isOver) => this.#drop(isOver) });
    const labels = { sink: 'console', to: output.name };
    this.#metrics = {
      values: options.monitor.metric('rxflume_sink_values_total', labels),
      bytes: options.monitor.metric('rxflume_sink_bytes_total', labels),
      failures: options.monitor.metric('rxflume_sink_failures_total', labels),
    };
  }

  get isIdle(): boolean {
    return this.#writing === undefined && this.#next === undefined && this.#waiting.size === 0;
  }

  /** What waits is written as fast as the output takes it. */
  flush(): void {}

  end(): void {
    this.#isOver = true;
    this.#flushListeners.end();
    this.#writing?.subscription?.unsubscribe();
    const cause = stoppedError('the line was written');
    AckGroup.of([...(this.#writing?.lines.parts ?? []), ...this.#takeAll()]).nack(cause);
  }

  take(delivery: Delivery<T>): void {
    if (!this.#flushListeners.listen(delivery)) {
      delivery.nack(staleError(delivery.origin.stream));
      return;
    }
    let text: string;
    try {
      const made = this.#options.textOf(delivery.value, delivery);
      text = `${this.#output.isTerminal === true ? shownText(made) : made}\n`;
    } catch (cause) {
      this.#metrics.failures.add(1);
      delivery.nack(nackErrorOfThrown('encode of consoleSink', cause, delivery, 'RXF_SINK_FORMAT'));
      return;
    }
    this.#waiting.add(delivery.with(text));
    this.#write();
  }

  #write(): void {
    if (this.#isOver || this.#writing !== undefined) return;
    const lines = this.#lines();
    if (lines === undefined) {
      this.#lifecycle.completeIfIdle();
      return;
    }
    this.#writing = { lines };
    const subscription = from(this.#output.write(lines.text)).subscribe({
      error: (cause: unknown) => this.#failed(lines, cause),
      complete: () => this.#written(lines),
    });
    if (this.#writing?.lines === lines) this.#writing = { lines, subscription };
  }

  /** Takes what is written next. */
  #lines(): Lines | undefined {
    const parts: Delivery<string>[] = [];
    let text = '';
    for (;;) {
      const part = this.#next ?? this.#waiting.take();
      this.#next = undefined;
      if (part === undefined) break;
      const [first = part] = parts;
      const isOther = part.origin.stream !== first.origin.stream;
      if (isOther || (parts.length > 0 && text.length + part.value.length > WRITE_CHARACTERS)) {
        this.#next = part;
        break;
      }
      parts.push(part);
      text += part.value;
    }
    return parts.length === 0 ? undefined : { text, parts };
  }

  #written({ text, parts }: Lines): void {
    this.#writing = undefined;
    AckGroup.of(parts).ack();
    const bytes = Buffer.byteLength(text);
    this.#metrics.values.add(parts.length);
    this.#metrics.bytes.add(bytes);
    const first = (parts[0] as Delivery<string>).origin;
    const last = (parts.at(-1) as Delivery<string>).origin;
    this.#lifecycle.receipt({
      sink: 'console',
      target: this.#output.name,
      values: parts.length,
      bytes,
      stream: first.stream,
      firstOffset: first.offset,
      lastOffset: last.lastOffset ?? last.offset,
    });
    this.#write();
  }

  #failed({ parts }: Lines, cause: unknown): void {
    this.#writing = undefined;
    this.#metrics.failures.add(1);
    const [first] = parts as [Delivery<string>];
    const nackError = nackErrorOf(cause, { code: 'RXF_SINK_WRITE', what: 'show' }, first);
    this.#options.monitor.report({
      what: nackError.code,
      about: this.#output.name,
      message: nackError.message,
      cause: nackError,
    });
    AckGroup.of(parts).nack(nackError);
    this.#write();
  }

  /** Nacks what waits of an epoch that is over. */
  #drop(isOver: (flush$: Observable<FlushSignal>) => boolean): void {
    const stale = this.#waiting.takeOut(({ acker }) => isOver(acker.flush$));
    if (this.#next !== undefined && isOver(this.#next.acker.flush$)) {
      stale.unshift(this.#next);
      this.#next = undefined;
    }
    AckGroup.of(stale).nack(staleError('The stream'));
    this.#lifecycle.completeIfIdle();
  }

  #takeAll(): Delivery<string>[] {
    const next = this.#next === undefined ? [] : [this.#next];
    this.#next = undefined;
    return [...next, ...this.#waiting.takeAll()];
  }
}
