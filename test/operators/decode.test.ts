import { describe, expect, it } from '@jest/globals';
import * as t from 'io-ts';
import {
  concat,
  EMPTY,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  Subject,
  throwError,
  timer,
} from 'rxjs';
import { z } from 'zod';
import { decode } from '../../operators/decode.js';
import { OptionError } from '../../src/core/errors.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import type { DecoderLike } from '../../src/formats/decoder.js';
import { json } from '../../src/formats/json.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { acked, drawn, shown, taken } from './marbles.js';

const Message = z.object({ user: z.string() });
const bytes = (text: string) => Buffer.from(text);

/** A dead-letter sink that stores each letter after so long, then acks it. */
function sinkAfter(ms: number, letters: DeadLetter[] = []): Sink<DeadLetter> {
  return (deliveries) =>
    deliveries.pipe(
      mergeMap((delivery) => timer(ms).pipe(map(() => delivery))),
      map((delivery) => {
        letters.push(delivery.value);
        delivery.ack();
        return { sink: 'test' } as Receipt;
      }),
    );
}

/** Decodes one value; what came out, and why it was nacked where it was. */
function decodeOne<I, A>(decoder: DecoderLike<I, A>, value: I) {
  const acker = new RecordingAcker();
  const out = taken(of(acker.deliver(value, {}, 'it')).pipe(decode(decoder)));
  const error = (acker.causes.it ?? out.error) as { code: string; message: string; details: unknown } | undefined;
  return { values: out.values.map((delivery) => delivery.value), ended: out.ended, code: error?.code, error };
}

describe('decode', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, nacks$, expectObservable }) => {
      const values = '  -a-?-c-|';
      const result = '  -A---C-|';
      const nacks = '   ---?-----';
      const texts = { a: bytes('{"user":"A"}'), '?': bytes('{"user":1}'), c: bytes('{"user":"C"}') };
      const result$ = deliveries(values, texts).pipe(
        decode(json(Message)),
        shown,
        map(({ user }) => user),
      );
      expectObservable(result$).toBe(result);
      expectObservable(nacks$).toBe(nacks);
    }));

  describe('without dead letters', () => {
    itKeepsTheEnds(decode((value) => value));
  });
  describe('with dead letters', () => {
    itKeepsTheEnds(decode((value) => value, { deadLetter: sinkAfter(0) }));
  });

  it('sets aside what was nacked instead, acks each when its dead letter is durable, and completes after that', () =>
    drawn(({ deliveries, acks$, nacks$, expectObservable }) => {
      const result$ = deliveries('-a-?-c-|', { a: '"A"', '?': 'x', c: '"C"' }).pipe(
        decode(json(z.string()), { deadLetter: sinkAfter(7) }),
        shown,
      );
      expectObservable(result$).toBe('-A---C----|');
      expectObservable(acks$).toBe('  ----------?');
      expectObservable(nacks$).toBe(' -');
    }));

  it('completes with the source where that is later', () =>
    drawn(({ deliveries, expectObservable }) => {
      const result$ = deliveries('-?------|').pipe(decode(json(), { deadLetter: sinkAfter(2) }), shown);
      expectObservable(result$).toBe('--------|');
    }));

  it('describes what was nacked so that any format can store it', () => {
    const acker = new RecordingAcker('kafka:chat/3');
    const letters: DeadLetter[] = [];
    const origin = { offset: 7, timestamp: Date.UTC(2024, 0, 2), key: bytes('k') };
    of(
      acker.deliver(bytes('{"user":'), origin, 'text'),
      acker.deliver(new Uint8Array([0xff, 0xfe, 0]), { ...origin, timestamp: 1.7e18, key: null }, 'binary'),
      acker.deliver(null as Buffer | null, { ...origin, timestamp: undefined }, 'tombstone'),
    )
      .pipe(
        decode(json(Message), {
          deadLetter: (deliveries) =>
            deliveries.pipe(
              map((d) => letters.push(d.value)),
              ignoreElements(),
            ),
        }),
      )
      .subscribe();
    const seq = { stream: 'kafka:chat/3', offset: 7, attempt: 1, setAsideAt: expect.stringMatching(/^\d{4}-.*Z$/) };
    expect(letters).toMatchObject([
      {
        ...seq,
        code: 'RXF_DECODE_SYNTAX',
        message: expect.stringContaining('it starts with "{\\"user\\":"'),
        timestamp: '2024-01-02T00:00:00.000Z',
        key: 'k',
        value: '{"user":',
        encoding: 'utf8',
      },
      {
        ...seq,
        code: 'RXF_DECODE_SYNTAX',
        message: expect.any(String),
        timestamp: null,
        key: null,
        value: '//4A',
        encoding: 'base64',
      },
      {
        ...seq,
        code: 'RXF_DECODE_EMPTY',
        message: expect.stringContaining('tombstone'),
        timestamp: null,
        key: 'k',
        value: null,
        encoding: 'none',
      },
    ]);
    expect(acker.unsettled).toEqual(['text', 'binary', 'tombstone']);
  });

  it('fails with the error of the dead-letter sink, also one thrown at the call', () => {
    const broken = new Error('no disk');
    const failing: Sink<DeadLetter> = (deliveries) => deliveries.pipe(mergeMap(() => throwError(() => broken)));
    const throwing: Sink<DeadLetter> = () => {
      throw broken;
    };
    const source = concat(of(new RecordingAcker().deliver('x')), NEVER);
    for (const deadLetter of [failing, throwing]) {
      expect(taken(source.pipe(decode(json(), { deadLetter })))).toMatchObject({ ended: 'error', error: broken });
    }
  });

  it('unsubscribes from the dead-letter sink when the source fails or the taker leaves', () =>
    drawn(({ cold, expectObservable, expectSubscriptions }) => {
      const stored$ = cold<Receipt>('-');
      const through = (source: Observable<Delivery<string>>) =>
        source.pipe(decode(json(), { deadLetter: () => stored$ }), shown);
      expectObservable(through(cold('--#'))).toBe('--#');
      expectObservable(through(cold('-')), '----!').toBe('-');
      expectSubscriptions(stored$.subscriptions).toBe(['^-!', '^---!']);
    }));

  it('nacks what comes after the dead-letter sink has completed', () => {
    const acker = new RecordingAcker();
    const out = taken(of(acker.deliver('?')).pipe(decode(json(), { deadLetter: () => EMPTY })));
    expect(acker.log).toEqual(['nack ?']);
    expect(out.ended).toBe('complete');
  });

  it('connects the dead-letter sink anew for each subscription', () => {
    const source$ = new Subject<Delivery<string>>();
    const letters: DeadLetter[] = [];
    const acker = new RecordingAcker();
    const decoded$ = source$.pipe(
      decode(json(), {
        deadLetter: (d) =>
          d.pipe(
            map(({ value }) => letters.push(value)),
            ignoreElements(),
          ),
      }),
    );
    taken(decoded$).unsubscribe();
    taken(decoded$);
    source$.next(acker.deliver('?'));
    expect(letters.length).toBe(1);
  });

  it.each([
    ['io-ts', json(t.type({ user: t.string }))],
    ['zod, by Standard Schema', json(Message)],
    [
      'a function',
      (value: unknown) => {
        const { user } = JSON.parse(String(value));
        if (typeof user !== 'string') throw new TypeError('user: no text');
        return { user };
      },
    ],
  ])('takes %s', (name, decoder) => {
    const read = (text: string) => decodeOne(decoder as DecoderLike<unknown, unknown>, bytes(text));
    expect(read('{"user":"A"}')).toMatchObject({ values: [{ user: 'A' }], ended: 'complete' });
    const nacked = read('{"user":1}');
    expect(nacked).toMatchObject({ values: [], ended: 'complete' });
    expect(nacked.error?.message).toMatch(/user/);
    expect(nacked.code).toBe(name === 'a function' ? 'RXF_OPERATOR_FAILED' : 'RXF_DECODE_SHAPE');
  });

  it('takes a schema itself, for values that are no bytes', () => {
    expect(decodeOne(t.number as DecoderLike<unknown, number>, 3).values).toEqual([3]);
    expect(decodeOne(z.coerce.number(), '3').values).toEqual([3]);
    expect(decodeOne(z.number(), '3').code).toBe('RXF_DECODE_SHAPE');
  });

  it('nacks null, and what is not JSON', () => {
    expect(decodeOne(json(Message), null).code).toBe('RXF_DECODE_EMPTY');
    expect(decodeOne(json(Message), Buffer.alloc(0)).code).toBe('RXF_DECODE_EMPTY');
    expect(decodeOne(json(Message), '{').code).toBe('RXF_DECODE_SYNTAX');
  });

  it('ends the stream at a schema that answers with a promise, since it would for every value', () => {
    const slow = z.string().refine(async () => true);
    expect(decodeOne(slow, 'x')).toMatchObject({ values: [], ended: 'error', code: 'RXF_OPTION_INVALID' });
    expect(decodeOne(slow, 'x').error?.message).toContain('The zod schema is asynchronous');
    class Later {
      // biome-ignore lint/suspicious/noThenProperty: a promise of another library
      then() {}
    }
    const thenable = {
      '~standard': { version: 1, vendor: 'odd', validate: () => new Later() },
    } as unknown as DecoderLike<unknown, unknown>;
    expect(decodeOne(thenable, 'x')).toMatchObject({ ended: 'error', code: 'RXF_OPTION_INVALID' });
  });

  it('settles the rest of a stream that ends at such a schema: nothing is left', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    taken(source$.pipe(decode(z.string().refine(async () => true))));
    source$.next(acker.deliver('a'));
    expect([acker.nacks, source$.observed]).toEqual([['a'], false]);
  });

  describe('by nacks', () => {
    itSettlesOnce(({ willSettle }) =>
      decode((value: number) => {
        if (value % 10 > 2) return value;
        willSettle(value, 'nack');
        throw new Error('too small');
      }),
    );
  });

  describe('by dead letters', () => {
    itSettlesOnce(({ willSettle }) =>
      decode(
        (value: number) => {
          if (value % 10 > 2) return value;
          throw new Error('too small');
        },
        {
          deadLetter: (deliveries) =>
            deliveries.pipe(
              map((delivery) => delivery.with(Number(delivery.value.value))),
              map((delivery) => {
                willSettle(delivery.value, 'ack');
                return delivery;
              }),
              acked,
              ignoreElements(),
            ),
        },
      ),
    );
  });

  it('rejects wrong options and wrong decoders', () => {
    const call = (decoder: unknown, options?: unknown) => () => decode(decoder as never, options as never);
    expect(call(42)).toThrow(
      'Expected `decoder` to be a function, an io-ts decoder or a Standard Schema, got `42` (number).',
    );
    expect(call(null)).toThrow('got `null` (null).');
    expect(call(json(), { deadLetter: {} })).toThrow('Expected `deadLetter` to be a function, got `Object` (object).');
    expect(call(json(), { deadLetters: 1 })).toThrow(
      'Expected `decode options` to have only known options (deadLetter), got `deadLetters`.',
    );
    expect(call(json(), null)).toThrow(OptionError);
  });
});
