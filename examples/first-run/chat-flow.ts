import * as t from 'io-ts';
import { type Delivery, type Flow, fileSink, flow, json, jsonLines, kafkaSource } from 'rxflume';
import { decode, filterValue, mapValue, retryConnect } from 'rxflume/operators';
import type { FileSystem, KafkaDriver } from 'rxflume/ports';
import { Observable } from 'rxjs';

/** A time in ISO 8601: the bucket is made from it, so nothing else may pass. */
const IsoTime = t.refinement(
  t.string,
  (text) => /^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text)),
  'ISO 8601 time',
);

const ChatMessage = t.intersection([
  t.type({
    id: t.string,
    conversation: t.string,
    at: IsoTime,
    lang: t.keyof({ en: null, zh: null, de: null, es: null, fr: null, ja: null }),
    channel: t.string,
    from: t.keyof({ customer: null, agent: null }),
    customer: t.string,
    text: t.string,
  }),
  t.partial({ rating: t.number }),
]);

/** What goes into the lake: what customers wrote, with its length. */
interface CustomerMessage {
  readonly id: string;
  readonly conversation: string;
  readonly at: string;
  readonly lang: string;
  readonly text: string;
  readonly letters: number;
  readonly rating: number | null;
}

export const TOPIC = 'support-chat';

/**
 * Support-chat messages from a topic into gzip JSON lines, by day and language; what cannot be decoded goes to the dead
 * letters. `feed$` runs beside the source for as long as it does.
 */
export function chatFlow(driver: KafkaDriver, fs: FileSystem, root: string, feed$: Observable<unknown>): Flow {
  const roll = { intervalMs: 5_000 };
  const lake = fileSink<CustomerMessage>(fs, {
    root,
    path: (value) => `dt=${value.at.slice(0, 10)}/lang=${value.lang}`,
    format: jsonLines({ compression: 'gzip' }),
    roll,
  });
  const deadLetters = fileSink(fs, {
    root: `${root}/dead-letters`,
    path: 'dt={yyyy}-{MM}-{dd}',
    format: jsonLines(),
    roll,
  });

  const source = kafkaSource(driver, { topics: [TOPIC], groupId: 'first-run', resumeFrom: lake.offsetStore }).through(
    (records$) =>
      new Observable<Delivery<Buffer | null>>((subscriber) => {
        subscriber.add(feed$.subscribe({ error: (error: unknown) => subscriber.error(error) }));
        return records$.subscribe(subscriber);
      }),
  );
  return flow(
    'first-run',
    source.pipe(retryConnect()),
    decode(json(ChatMessage), { deadLetter: deadLetters.write() }),
    filterValue((message) => message.from === 'customer'),
    mapValue(
      ({ id, conversation, at, lang, text, rating }): CustomerMessage => ({
        id,
        conversation,
        at,
        lang,
        text,
        letters: [...text].length,
        rating: rating ?? null,
      }),
    ),
    lake.write(),
  );
}
