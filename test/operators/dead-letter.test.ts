import { describe, expect, it } from '@jest/globals';
import { EMPTY, ignoreElements, map, NEVER, type Observable, of, Subject, tap, throwError, timer } from 'rxjs';
import { type DeadLetterOptions, deadLetter } from '../../operators/dead-letter.js';
import { decode, transmit } from '../../operators/index.js';
import { DecodeError, OptionError, SinkError } from '../../src/core/errors.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { drawn, shown, taken } from './marbles.js';

const BUSY = new SinkError('RXF_SINK_WRITE', 'busy');
const FOR_GOOD = new SinkError('RXF_SINK_WRITE', 'too large', { retryable: false });

/** A sink of letters that acks each so much later, and notes it. */
function letters(ms = 0) {
  const seen: DeadLetter[] = [];
  const seen$ = new Subject<string>();
  const sink: Sink<DeadLetter> = (deliveries) =>
    deliveries.pipe(
      tap((delivery) => {
        seen.push(delivery.value);
        seen$.next(String(delivery.value.value));
        if (ms === 0) delivery.ack();
        else timer(ms).subscribe(() => delivery.ack());
      }),
      ignoreElements(),
    );
  return { seen, seen$, sink };
}

/** Feeds by hand, and keeps what came out. */
function fed(options: DeadLetterOptions = {}, sink?: Sink<DeadLetter>) {
  const acker = new RecordingAcker();
  const source$ = new Subject<Delivery<string>>();
  const own = letters();
  const out = taken(source$.pipe(deadLetter(sink ?? own.sink, options)));
  const feed = (value: string, offset?: number) => {
    source$.next(acker.deliver(value, offset === undefined ? {} : { offset }));
    return out.values.at(-1) as Delivery<string>;
  };
  return { acker, source$, out, feed, seen: own.seen };
}

describe('deadLetter', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, hot, expectObservable }) => {
      const values = '  -a-b-c------|';
      const result = '  -a-b-c------|';
      const letterRow = '---b---------';
      const acks = '    -a---c-b-----';
      const { sink, seen$ } = letters(4);
      const settled = (source: Observable<Delivery<string>>) =>
        source.pipe(
          tap((one) => (one.value === 'b' ? one.nack(FOR_GOOD) : one.ack())),
          shown,
        );
      hot('|').subscribe();
      // letters  ---b---------
      expectObservable(seen$).toBe(letterRow);
      expectObservable(deliveries(values).pipe(deadLetter(sink), settled)).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(deadLetter(letters().sink));

  it('tells the sink what came, from where, why, when, and how often it was nacked', () => {
    const { feed, seen, acker } = fed();
    feed('héllo', 7).nack(FOR_GOOD);
    expect(seen).toMatchObject([
      {
        code: 'RXF_SINK_WRITE',
        message: 'too large',
        stream: 'test:stream',
        offset: 7,
        timestamp: null,
        key: null,
        value: 'héllo',
        encoding: 'utf8',
        attempt: 1,
        setAsideAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
    ]);
    expect(acker.log).toEqual(['ack héllo']);
  });

  it.each([
    ['an error that an operator threw', new TypeError('no field'), true],
    ['a value that cannot be decoded', new DecodeError('RXF_DECODE_SHAPE', 'bad'), true],
    ['a bucket that is none', new SinkError('RXF_SINK_BUCKET', 'bad'), true],
    ['a write that will not pass', FOR_GOOD, true],
    ['a write that may pass', BUSY, false],
    ['a disk that is full', new SinkError('RXF_FILES_FULL', 'full'), false],
    ['a folder that is forbidden', new SinkError('RXF_FILES_DENIED', 'denied'), false],
    ['a damaged ledger', new SinkError('RXF_LEDGER_DAMAGED', 'bad'), false],
    ['a flow that stops', new SinkError('RXF_SINK_STOPPED', 'stopped'), false],
  ])('%s: set aside, %s', (_, cause, isSetAside) => {
    const { feed, seen, acker } = fed();
    feed('a').nack(cause);
    expect([seen.length, acker.log]).toEqual(isSetAside ? [1, ['ack a']] : [0, ['nack a']]);
  });

  it('sets aside at the nth nack what goes back to the source before, and counts by value', () => {
    const { feed, seen, acker } = fed({ maxAttempts: 3 });
    for (let attempt = 1; attempt <= 2; attempt += 1) feed('a', 1).nack(BUSY);
    feed('b', 2).nack(BUSY);
    feed('a', 1).nack(new SinkError('RXF_OPERATOR_TIMEOUT', 'slow'));
    feed('a', 1).nack(BUSY);
    expect(seen.map(({ value, attempt }) => [value, attempt])).toEqual([['a', 3]]);
    expect(acker.log).toEqual(['nack a', 'nack a', 'nack b', 'ack a', 'nack a']);
  });

  it('asks `when`, with the attempt, where it is given; but not of a flow that stops', () => {
    const asked: unknown[] = [];
    const { feed, seen } = fed({
      when: (cause, attempt) => {
        asked.push([cause, attempt]);
        return attempt === 2;
      },
    });
    feed('a', 1).nack('x');
    feed('a', 1).nack('y');
    feed('b', 2).nack(new SinkError('RXF_SINK_STOPPED', 'stopped'));
    expect([asked, seen.length]).toEqual([
      [
        ['x', 1],
        ['y', 2],
      ],
      1,
    ]);
  });

  it('leaves to the source what was released, settled or set aside before', () => {
    const { feed, seen, acker } = fed();
    const released = feed('r');
    released.release();
    released.nack(FOR_GOOD);
    const acked = feed('k');
    acked.ack();
    acked.nack(FOR_GOOD);
    expect([seen.length, acker.log]).toEqual([0, ['release r', 'nack r', 'ack k']]);
  });

  it('what is said after a letter was begun counts for nothing: the letter decides', () => {
    const waiting: Delivery<DeadLetter>[] = [];
    const { feed, acker } = fed({}, (deliveries) =>
      deliveries.pipe(
        map((delivery) => waiting.push(delivery)),
        ignoreElements(),
      ),
    );
    const delivery = feed('a');
    const other = feed('b');
    delivery.nack(FOR_GOOD);
    delivery.ack();
    delivery.nack('again');
    delivery.release();
    delivery.acker.ack(0, 2);
    expect(acker.log).toEqual(['ack b']);
    other.nack('late');
    waiting[0]?.release();
    waiting[0]?.nack('letters are full');
    expect(acker.log).toEqual(['ack b', 'release a', 'nack a']);
  });

  it('takes runs: of what is kept it makes letters, the rest goes to the source', () => {
    const { feed, seen, acker } = fed();
    const all = [...'abcdef'].map((value) => feed(value));
    all[1]?.release();
    all[4]?.release();
    all[0]?.acker.nack(0, 6, FOR_GOOD);
    expect(seen.map(({ value }) => value).join('')).toBe('acdf');
    expect([acker.acks.join(''), acker.nacks.join('')]).toEqual(['acdf', 'be']);
  });

  it('sets aside what is nacked after the source has completed, and then ends the sink of letters', () => {
    let isEnded = false;
    const own = letters();
    const sink: Sink<DeadLetter> = (deliveries) => own.sink(deliveries).pipe(tap({ complete: () => (isEnded = true) }));
    const { feed, source$, acker, out } = fed({}, sink);
    const [first, second] = [feed('a'), feed('b')];
    source$.complete();
    expect([out.ended, isEnded]).toEqual(['complete', false]);
    first.nack(FOR_GOOD);
    expect([acker.log, isEnded]).toEqual([['ack a'], false]);
    second.release();
    expect(isEnded).toBe(true);
  });

  it('fails with the error of the sink of letters, also one thrown at the call, and leaves the source', () => {
    const error = new Error('no disk');
    const failing: Sink<DeadLetter> = (deliveries) => deliveries.pipe(map(() => throwError(() => error))) as never;
    const throwing: Sink<DeadLetter> = () => {
      throw error;
    };
    expect(taken(NEVER.pipe(deadLetter(throwing)))).toMatchObject({ ended: 'error', error });
    const late = fed({}, () => timer(0).pipe(map(() => ({}) as Receipt)));
    expect(late.out.ended).toBe('');
    expect(failing).toBeDefined();
    const failed$ = new Subject<Receipt>();
    const own = fed({}, () => failed$);
    failed$.error(error);
    expect(own.out).toMatchObject({ ended: 'error', error });
    expect(own.source$.observed).toBe(false);
  });

  it('nacks as it came what a sink that has completed does not take, and when it is unsubscribed', () => {
    const early = fed({}, () => EMPTY);
    early.feed('a').nack(FOR_GOOD);
    expect(early.acker.log).toEqual(['nack a']);
    const left = fed();
    const delivery = left.feed('a');
    left.out.unsubscribe();
    delivery.nack(FOR_GOOD);
    expect([left.acker.log, left.seen.length]).toEqual([['nack a'], 0]);
  });

  it('remembers the attempts of 10,000 values', () => {
    const { feed, seen } = fed({ maxAttempts: 2 });
    for (let offset = 0; offset <= 10_000; offset += 1) feed('x', offset).nack(BUSY);
    feed('x', 0).nack(BUSY);
    expect(seen.length).toBe(0);
    feed('x', 10_000).nack(BUSY);
    expect(seen.length).toBe(1);
  });

  itSettlesOnce(() => deadLetter(letters().sink, { when: () => false }));

  it('works behind a source and before everything: raw bytes of what cannot be decoded', () => {
    const acker = new RecordingAcker();
    const { sink, seen } = letters();
    const source = of(
      acker.deliver(Buffer.from([0xc3, 0x28]), {}, 'bad'),
      acker.deliver(Buffer.from('ok'), {}, 'good'),
    );
    const out = taken(
      source.pipe(
        deadLetter(sink),
        decode((value: Buffer) => {
          if (value.length === 2 && value[0] === 0xc3) throw new DecodeError('RXF_DECODE_SYNTAX', 'no text');
          return String(value);
        }),
        transmit((value) => of(value)),
      ),
    );
    expect([out.values, acker.log]).toEqual([['ok'], ['ack bad', 'ack good']]);
    expect(seen[0]).toMatchObject({ value: 'wyg=', encoding: 'base64', code: 'RXF_DECODE_SYNTAX' });
  });

  it.each([
    [1, {}, 'Expected `sink` to be a function'],
    [of, { maxAttempts: 0 }, 'Expected `maxAttempts` to be a whole number >= 1, got `0` (number).'],
    [of, { when: 1 }, 'Expected `when` to be a function'],
    [of, { when: () => true, maxAttempts: 3 }, 'Expected `maxAttempts` to be absent when `when` is given, got `'],
    [of, { after: 1 }, 'Expected `deadLetter options` to have only known options (when, maxAttempts), got `after`.'],
  ])('rejects %p with %p', (sink, options, message) => {
    const call = () => deadLetter(sink as never, options as never);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});
