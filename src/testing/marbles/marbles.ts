import { asyncScheduler, map, mergeMap, type Observable, of, timer } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describeError } from '../../core/errors.js';
import { expectFunction } from '../../core/options.js';
import type { DeadLetter } from '../../delivery/dead-letter.js';
import { Delivery } from '../../delivery/delivery.js';
import type { Receipt, Sink } from '../../delivery/receipt.js';
import { type MemoryFileSystem, memoryFileSystem } from '../memory/memory-file-system.js';
import { RecordingAcker, type Settlement } from '../recording-acker.js';
import { expectMarks, MarbleError } from './difference.js';
import { MarbleAmqp, type MarbleAmqpOptions } from './marble-amqp.js';
import { MarbleKafka, type MarbleKafkaOptions } from './marble-kafka.js';
import { labelOf, marbleSink } from './marble-sink.js';
import { type Mark, parseRow } from './row.js';
import { isSame } from './same.js';
import { watched } from './watched.js';

/** The rows of several partitions, by `p0`, `p1` …; a text alone is of `p0`. */
export type PartitionRows = string | Readonly<Record<`p${number}`, string>>;

/** What a drawing is made with. Everything is in virtual time; what is expected is compared when the drawing is done. */
export interface Marbles
  extends Pick<RunHelpers, 'cold' | 'hot' | 'time' | 'expectObservable' | 'expectSubscriptions'> {
  /** The account of `m.deliveries`. */
  readonly acker: RecordingAcker;
  /** Deliveries, each named by its character; its value is the character, or what `values` has for it. */
  deliveries<T = string>(row: string, values?: Readonly<Record<string, T>>): Observable<Delivery<T>>;
  /** A Kafka with what is drawn, such as `p0: a-b-c  p1: d`; see `MarbleKafka` for rebalances. */
  kafka(diagram: string, options?: MarbleKafkaOptions): MarbleKafka;
  /** A queue of RabbitMQ with what is drawn, such as `-a-b-(cd)|`; see `MarbleAmqp` for what befalls its channel. */
  amqp(diagram: string, options?: MarbleAmqpOptions): MarbleAmqp;
  /**
   * Passes on what a source gives, and notes it for `expectAcks`, `expectNacks` and `expectReleases`, each named by its
   * value: so that releases of `m.kafka` are drawn too. Goes directly behind the source, or its `drainOn`.
   */
  watch<T>(source: Observable<Delivery<T>>): Observable<Delivery<T>>;
  /**
   * A sink that acks and nacks where drawn, such as `-a--X(503)-b`. A delivery is found by its value as text, or by the
   * character that it has in `m.deliveries`, whatever its value has become.
   */
  sink(row: string): Sink<unknown>;
  /** A file system in memory. */
  files(): MemoryFileSystem;
  /** A sink of dead letters that makes each durable after so long. Default 0. */
  deadLetters(afterMs?: number): Sink<DeadLetter>;
  /**
   * When deliveries of `m.deliveries` and `m.watch` are acked, nacked, released. Of `m.amqp`, where it
   * is not watched: when the broker gets the acks and nacks for messages of a queue, or, of a stream, those for what was released.
   */
  expectAcks(row: string): void;
  expectNacks(row: string): void;
  expectReleases(row: string): void;
  /** When messages of `m.amqp` go back to their queue, and when they are dead-lettered. */
  expectRequeues(row: string): void;
  expectDiscards(row: string): void;
  /** When offsets are committed to `m.kafka`: `-----2--4`. An offset of more than one digit is drawn as its last digit. */
  expectCommits(rows: PartitionRows): void;
  /** When partitions of `m.kafka` are paused, `P`, and resumed, `R`. */
  expectPauses(rows: PartitionRows): void;
  /** When values come to `m.deadLetters`, each drawn as its text. */
  expectDeadLetters(row: string): void;
  /** What a reader finds in the end: the lines of all files in each folder of `m.files`, in order of their names. */
  expectFiles(folders: Readonly<Record<string, readonly string[]>>): void;
}

/**
 * Runs a drawing: deliveries, Kafka, RabbitMQ, sinks and files as rows of marbles, and what is to become of them. Compares all of it
 * when everything has run.
 *
 * ```ts
 * import { filterValue } from 'rxflume/operators';
 * import { marbles } from 'rxflume/testing';
 *
 * marbles((m) => {
 *   const stored$ = m.deliveries('-a-b-|').pipe(
 *     filterValue((value) => value !== 'b'),
 *     m.sink('-----a'),
 *   );
 *   m.expectObservable(stored$);
 *   m.expectAcks('---b-a');
 * });
 * ```
 *
 * Fails: throws a `MarbleError` that shows what was expected and what happened, one under the other.
 */
export function marbles(draw: (m: Marbles) => void): void {
  expectFunction('draw', draw);
  const scheduler = new TestScheduler(compareObservables);
  const checks: (() => void)[] = [];
  scheduler.run((helpers) => {
    draw(drawingOf(helpers, checks));
    helpers.flush();
  });
  for (const check of checks) check();
}

function drawingOf(helpers: RunHelpers, checks: (() => void)[]): Marbles {
  const settled: { readonly frame: number; readonly line: Settlement }[] = [];
  const letters: Mark[] = [];
  const acker = new RecordingAcker('test:stream', (line) => settled.push({ frame: asyncScheduler.now(), line }));
  let kafka: MarbleKafka | undefined;
  let amqp: MarbleAmqp | undefined;
  let isWatching = false;
  let files: MemoryFileSystem | undefined;
  const watch = watched<unknown>(labelOf, (line) => settled.push({ frame: asyncScheduler.now(), line }));
  const atBroker = (verb: 'ack' | 'nack' | 'release'): Mark[] => {
    if (amqp === undefined || isWatching) return [];
    if (amqp.kind === 'stream') return verb === 'release' ? amqp.settled('ack') : [];
    if (verb === 'release') return [];
    return verb === 'ack' ? amqp.settled('ack') : amqp.settled('requeue', 'discard');
  };
  const expectSettled = (what: string, verb: 'ack' | 'nack' | 'release', row: string) => {
    const expected = parseRow(row);
    checks.push(() => {
      const own = settled.filter(({ line }) => line.startsWith(`${verb} `));
      const marks = own.map(({ frame, line }) => ({ frame, label: line.slice(verb.length + 1) }));
      expectMarks(what, [...marks, ...atBroker(verb)], expected);
    });
  };
  const expectOfAmqp = (what: string, how: 'requeue' | 'discard', row: string) => {
    const expected = parseRow(row);
    checks.push(() => {
      if (amqp === undefined) throw new MarbleError(`There is no m.amqp(…) whose ${what} could be looked at.`);
      expectMarks(what, amqp.settled(how), expected);
    });
  };
  const expectOfKafka = (what: 'commits' | 'pauses', rows: PartitionRows) => {
    const byPartition = typeof rows === 'string' ? { p0: rows } : rows;
    for (const [name, row] of Object.entries<string>(byPartition)) {
      const expected = parseRow(row);
      checks.push(() => {
        if (kafka === undefined) throw new MarbleError(`There is no m.kafka(…) whose ${what} could be looked at.`);
        const own = kafka[what].filter(({ partition }) => `p${partition}` === name);
        const marks = own.map(({ frame, label }) => ({ frame, label: label.slice(-1) }));
        expectMarks(`${what} of ${name}`, marks, expected);
      });
    }
  };
  return {
    cold: helpers.cold,
    hot: helpers.hot,
    time: helpers.time,
    expectObservable: helpers.expectObservable,
    expectSubscriptions: helpers.expectSubscriptions,
    acker,
    deliveries: <T>(row: string, values?: Readonly<Record<string, T>>) =>
      helpers.cold(row).pipe(map((name) => acker.deliver((values === undefined ? name : values[name]) as T, {}, name))),
    kafka: (diagram, options) => {
      kafka = new MarbleKafka(diagram, options);
      return kafka;
    },
    amqp: (diagram, options) => {
      amqp = new MarbleAmqp(diagram, options);
      return amqp;
    },
    watch: <T>(source: Observable<Delivery<T>>) => {
      isWatching = true;
      return watch(source) as Observable<Delivery<T>>;
    },
    sink: (row) => marbleSink(row, (one) => (one.acker === acker ? acker.nameOf(one.seq) : undefined)),
    files: () => {
      files = memoryFileSystem();
      return files;
    },
    deadLetters: (afterMs = 0) => lettersInto(letters, afterMs),
    expectAcks: (row) => expectSettled('acks', 'ack', row),
    expectNacks: (row) => expectSettled('nacks', 'nack', row),
    expectReleases: (row) => expectSettled('releases', 'release', row),
    expectRequeues: (row) => expectOfAmqp('requeues', 'requeue', row),
    expectDiscards: (row) => expectOfAmqp('discards', 'discard', row),
    expectCommits: (rows) => expectOfKafka('commits', rows),
    expectPauses: (rows) => expectOfKafka('pauses', rows),
    expectDeadLetters: (row) => {
      const expected = parseRow(row);
      checks.push(() => expectMarks('dead letters', letters, expected));
    },
    expectFiles: (folders) => {
      checks.push(() => expectFolders(files, folders));
    },
  };
}

function lettersInto(letters: Mark[], afterMs: number): Sink<DeadLetter> {
  return (deliveries) =>
    deliveries.pipe(
      mergeMap((delivery) => {
        const { value, origin } = delivery;
        letters.push({ frame: asyncScheduler.now(), label: labelOf(value.value) });
        const range = { stream: origin.stream, firstOffset: origin.offset, lastOffset: origin.offset };
        const durable$ = afterMs === 0 ? of(0) : timer(afterMs);
        return durable$.pipe(
          map((): Receipt => {
            delivery.ack();
            return { sink: 'marbles', target: labelOf(value.value), values: 1, bytes: origin.byteLength, ...range };
          }),
        );
      }),
    );
}

/** What `TestScheduler` compares: notifications with their frames. */
function compareObservables(actual: unknown, expected: unknown): void {
  const labels = new Labels();
  const [own, drawn] = [labels.marksOf(actual), labels.marksOf(expected)];
  if (own === undefined || drawn === undefined) {
    if (!isSame(actual, expected)) {
      throw new MarbleError(
        `The subscriptions are not as drawn.\n  expected  ${JSON.stringify(expected)}\n  actual    ${JSON.stringify(actual)}`,
      );
    }
    return;
  }
  expectMarks('results', own, drawn, labels.legend());
}

interface Notified {
  readonly frame: number;
  readonly notification: { readonly kind: 'N' | 'E' | 'C'; readonly value?: unknown; readonly error?: unknown };
}

/** Gives each different value a character: its own where it is one, else a capital letter that a legend explains. */
class Labels {
  readonly #values: { readonly label: string; readonly value: unknown }[] = [];
  readonly #errors: unknown[] = [];

  marksOf(messages: unknown): Mark[] | undefined {
    if (!Array.isArray(messages)) return undefined;
    if (!messages.every((one: unknown) => typeof one === 'object' && one !== null && 'notification' in one))
      return undefined;
    return (messages as Notified[]).map(({ frame, notification: { kind, value, error } }) => {
      if (kind === 'C') return { frame, label: '|' };
      return { frame, label: kind === 'E' ? this.#errorLabel(error) : this.#labelOf(value) };
    });
  }

  legend(): string[] {
    return [
      ...this.#values.map(({ label, value }) => `  ${label} = ${shownValue(value)}`),
      ...this.#errors.map((error, at) => `  ${'#'.repeat(at + 1)} = ${describeError(error)}`),
    ];
  }

  #labelOf(given: unknown): string {
    // A delivery is drawn as its value.
    const value = given instanceof Delivery ? given.value : given;
    if (typeof value === 'string' && value.length === 1) return value;
    const known = this.#values.find((one) => isSame(one.value, value));
    if (known !== undefined) return known.label;
    const label = String.fromCharCode(65 + (this.#values.length % 26));
    this.#values.push({ label, value });
    return label;
  }

  #errorLabel(error: unknown): string {
    let at = this.#errors.findIndex((one) => isSame(one, error));
    if (at < 0) at = this.#errors.push(error) - 1;
    return '#'.repeat(at + 1);
  }
}

function shownValue(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function expectFolders(fs: MemoryFileSystem | undefined, folders: Readonly<Record<string, readonly string[]>>): void {
  if (fs === undefined) throw new MarbleError('There are no m.files() that could be looked at.');
  const found = new Map<string, string[]>();
  for (const path of Object.keys(fs.files()).sort()) {
    if (path.includes('/_rxflume/')) continue;
    const folder = path.slice(0, path.lastIndexOf('/')) || '/';
    const lines = fs
      .text(path)
      .split('\n')
      .filter((line) => line !== '');
    found.set(folder, [...(found.get(folder) ?? []), ...lines]);
  }
  const expected = Object.entries(folders).sort(([a], [b]) => (a < b ? -1 : 1));
  if (
    isSame(
      [...found],
      expected.map(([folder, lines]) => [folder, [...lines]]),
    )
  )
    return;
  const shown = (all: Iterable<readonly [string, readonly string[]]>) =>
    [...all].map(([folder, lines]) => `    ${folder}: ${lines.join(' ')}`).join('\n') || '    nothing';
  throw new MarbleError(`The files are not as expected.\n  expected\n${shown(expected)}\n  actual\n${shown(found)}`);
}
