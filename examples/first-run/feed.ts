import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EmbeddedLog } from 'rxflume/drivers/embedded-log';
import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  from,
  ignoreElements,
  interval,
  map,
  merge,
  Observable,
  of,
  ReplaySubject,
  type SchedulerLike,
  Subscription,
  take,
  takeUntil,
} from 'rxjs';
import { type ChatMessage, chatGenerator } from './generator.js';
import { postedValues } from './posted.js';
import { receiver } from './receiver.js';

/** Where messages are appended: durable when `append` answers. */
export type FeedTarget = Pick<EmbeddedLog, 'append' | 'recordCount'>;

export interface FeedOptions {
  /** The JSON-lines file that a topic without records starts with. */
  readonly file: string;
  readonly topic: string;
  /** The port on 127.0.0.1 for `POST /messages`; 0 for any that is free. */
  readonly httpPort: number;
  /** How many live messages are made a second; 0 for none. */
  readonly messagesPerSecond: number;
  /** Ends the feed, which then completes. */
  readonly stop$: Observable<unknown>;
  /** The clock of the live messages. Default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** What a person at the terminal should read. */
export interface FeedLogEvent {
  readonly level: 'info' | 'warn';
  readonly what: 'imported' | 'listening' | 'not-listening';
  readonly message: string;
  /** Of `listening`: where, with a slash at the end. */
  readonly url?: string;
}

/**
 * Fills a topic: the shipped file, once, where the topic is empty; then live messages and whatever is posted, until
 * `stop$` emits. Cold: subscribing starts it, unsubscribing stops the timers and closes the server at once.
 *
 * Bounds: the file, one live message, and at most 64 posted bodies of 1 MiB.
 * Fails: when the file cannot be read or the log rejects an append. A port in use is a notice, not an error.
 */
export function feed(log: FeedTarget, options: FeedOptions): Observable<FeedLogEvent> {
  const { topic, httpPort, messagesPerSecond, scheduler = asyncScheduler } = options;
  return new Observable((subscriber) => {
    const stop$ = new ReplaySubject<unknown>(1);
    const life = new Subscription();
    life.add(options.stop$.pipe(take(1)).subscribe(stop$));
    const now = () => new Date(scheduler.now());
    const next = chatGenerator(Math.random, () => randomUUID().slice(0, 13));
    const live$ =
      messagesPerSecond > 0
        ? interval(1000 / messagesPerSecond, scheduler).pipe(
            takeUntil(stop$),
            exhaustMap(() => log.append(topic, [JSON.stringify(next(now()))])),
            ignoreElements(),
          )
        : EMPTY;
    const accept = async (body: string) => {
      const values = postedValues(body, (text) => postedMessage(text, now()));
      await log.append(topic, values);
      return values.length;
    };
    const posted$ = receiver({ port: httpPort, accept, stop$ }).pipe(
      map(listening),
      catchError((error: unknown) => of(notListening(httpPort, error))),
    );
    const all$ = concat(importOnce(log, options), merge(posted$, live$));
    life.add(all$.subscribe(subscriber));
    return life;
  });
}

/** The append is one, so after a crash the topic holds the whole file or is still empty. */
function importOnce(log: FeedTarget, { file, topic }: FeedOptions): Observable<FeedLogEvent> {
  return defer(() => from(importFile(log, file, topic))).pipe(
    exhaustMap((count) =>
      count === 0
        ? EMPTY
        : of({ level: 'info', what: 'imported', message: `Imported ${count} messages of ${file}.` } as const),
    ),
  );
}

async function importFile(log: FeedTarget, file: string, topic: string): Promise<number> {
  if ((await log.recordCount(topic)) > 0) return 0;
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  await log.append(topic, lines);
  return lines.length;
}

function postedMessage(text: string, at: Date): ChatMessage {
  const token = randomUUID().slice(0, 13);
  return {
    id: `m-${token}`,
    conversation: `posted-${token}`,
    at: at.toISOString(),
    lang: 'en',
    channel: 'web',
    from: 'customer',
    customer: 'u-posted',
    text,
  };
}

function listening(port: number): FeedLogEvent {
  const url = `http://127.0.0.1:${port}/`;
  return {
    level: 'info',
    what: 'listening',
    url,
    message: `Send messages to ${url}messages, such as: curl -d hello ${url}messages`,
  };
}

function notListening(port: number, error: unknown): FeedLogEvent {
  const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  const why = isTaken ? 'another program has it' : error instanceof Error ? error.message : String(error);
  return {
    level: 'warn',
    what: 'not-listening',
    message: `Cannot listen on 127.0.0.1:${port}: ${why}. The rest goes on; to post messages, choose another port and start again.`,
  };
}
