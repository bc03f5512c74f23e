import { describe, expect, it } from '@jest/globals';
import { map, mergeMap, NEVER, Subject, throwError, timer } from 'rxjs';
import { decode } from '../../operators/decode.js';
import { ConnectError, DecodeError } from '../../src/core/errors.js';
import { Pending } from '../../src/core/pending.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import type { WaitingDecoder } from '../../src/formats/decoder.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { drawn, shown, taken } from '../operators/marbles.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';

/** Capital letters are known when so much time has passed since the first request for them; small ones at once. */
function fetching(ms: number): WaitingDecoder<string, string> & { requests: string[] } {
  const known = new Set<string>();
  const requests: string[] = [];
  return {
    requests,
    decodeWith(value) {
      if (value === value.toLowerCase() || known.has(value)) return value.toLowerCase();
      requests.push(value);
      return new Pending(timer(ms).pipe(map(() => known.add(value))));
    },
  };
}

const down = new ConnectError('RXF_HTTP_UNREACHABLE', 'http://registry: refused.');
const never: WaitingDecoder<string, string> = { decodeWith: () => new Pending(NEVER) };
const unreachable: WaitingDecoder<string, string> = {
  decodeWith: (value) => (value === 'B' ? new Pending(timer(3).pipe(mergeMap(() => throwError(() => down)))) : value),
};

describe('a decoder that waits', () => {
  it('keeps the order of the stream, and waits once for what several need', () =>
    drawn(({ deliveries, expectObservable, acks$, nacks$ }) => {
      const decoder = fetching(4);
      const result$ = deliveries('-a-B-c-B-----d-|').pipe(decode(decoder), shown);
      expectObservable(result$).toBe('            -a-----(bcb)-d-|');
      expectObservable(acks$).toBe('-');
      expectObservable(nacks$).toBe('-');
    }));

  it('holds up nothing of other streams', () => {
    const acker = new RecordingAcker('kafka:chat/0');
    const ready$ = new Subject<never>();
    let isReady = false;
    const decoder: WaitingDecoder<string, string> = {
      decodeWith: (value) => (value === 'B' && !isReady ? new Pending(ready$) : value),
    };
    const source$ = new Subject<Delivery<string>>();
    const out = taken(source$.pipe(decode(decoder), shown));
    source$.next(acker.deliver('B'));
    source$.next(acker.deliver('c'));
    source$.next(acker.deliver('x', { stream: 'kafka:chat/1' }));
    source$.complete();
    expect([out.values, out.ended]).toEqual([['x'], '']);
    isReady = true;
    ready$.complete();
    expect([out.values, out.ended]).toEqual([['x', 'B', 'c'], 'complete']);
  });

  it('keeps the order of what arrives while it passes on what has waited', () => {
    const acker = new RecordingAcker();
    const ready$ = new Subject<never>();
    let isReady = false;
    const source$ = new Subject<Delivery<string>>();
    const values: string[] = [];
    const decoder: WaitingDecoder<string, string> = {
      decodeWith: (value) => (isReady ? value : new Pending(ready$)),
    };
    source$.pipe(decode(decoder), shown).subscribe((value) => {
      values.push(value);
      if (value === 'a') source$.next(acker.deliver('c'));
    });
    source$.next(acker.deliver('a'));
    source$.next(acker.deliver('b'));
    isReady = true;
    ready$.complete();
    expect(values).toEqual(['a', 'b', 'c']);
  });

  it('nacks only the one whose wait fails, and goes on', () =>
    drawn(({ deliveries, expectObservable, nacks$, acker, flush }) => {
      const result$ = deliveries('-a-B-c-|').pipe(decode(unreachable), shown);
      expectObservable(result$).toBe('-a----c|');
      expectObservable(nacks$).toBe(' ------B');
      flush();
      expect(acker.causes.B).toBe(down);
    }));

  it('never makes a dead letter of a value whose schema could not be fetched', () =>
    drawn(({ deliveries, expectObservable, nacks$, flush }) => {
      const letters: DeadLetter[] = [];
      const deadLetter: Sink<DeadLetter> = (letters$) =>
        letters$.pipe(
          map((delivery) => {
            letters.push(delivery.value);
            delivery.ack();
            return { sink: 'test' } as Receipt;
          }),
        );
      const bad = new DecodeError('RXF_DECODE_SYNTAX', 'Not framed.');
      const decoder: WaitingDecoder<string, string> = {
        decodeWith: (value) => {
          if (value === 'x') throw bad;
          return unreachable.decodeWith(value, {});
        },
      };
      expectObservable(deliveries('-x-B-|').pipe(decode(decoder, { deadLetter }), shown)).toBe('------|');
      expectObservable(nacks$).toBe('------B');
      flush();
      expect(letters.map(({ code }) => code)).toEqual(['RXF_DECODE_SYNTAX']);
    }));

  it('nacks what waits when it is unsubscribed, after it has left the source', () =>
    drawn(({ deliveries, expectObservable, nacks$, acker, flush }) => {
      expectObservable(deliveries('-a-b-c-').pipe(decode(never), shown), '----!').toBe('-----');
      expectObservable(nacks$).toBe('----(ab)');
      flush();
      expect(acker.causes.a).toMatchObject({ code: 'RXF_SINK_STOPPED' });
    }));

  it('nacks what waits when its epoch is over, and completes then', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    const out = taken(source$.pipe(decode(never)));
    source$.next(acker.deliver('a'));
    source$.next(acker.deliver('b'));
    source$.complete();
    expect([acker.nacks, out.ended]).toEqual([[], '']);
    acker.flush$.complete();
    expect([acker.nacks, out.ended]).toEqual([['a', 'b'], 'complete']);
  });

  it('nacks what waits when the source fails', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    const out = taken(source$.pipe(decode(never)));
    source$.next(acker.deliver('a'));
    source$.error(new Error('gone'));
    expect([acker.nacks, out.ended]).toEqual([['a'], 'error']);
  });

  it('gives up a value that waits again and again, with what to do', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<string>>();
    let calls = 0;
    const done$ = new Subject<never>();
    const looping: WaitingDecoder<string, string> = {
      decodeWith: () => {
        calls += 1;
        return new Pending(done$);
      },
    };
    taken(source$.pipe(decode(looping)));
    source$.next(acker.deliver('a'));
    done$.complete();
    expect(acker.causes.a).toMatchObject({ code: 'RXF_OPERATOR_FAILED', retryable: false });
    expect(String(acker.causes.a)).toContain('has waited 10 times in a row');
    expect(calls).toBe(11);
  });

  it('fails any number that wait one behind the other', () => {
    const acker = new RecordingAcker();
    const source$ = new Subject<Delivery<number>>();
    const first$ = new Subject<never>();
    const decoder: WaitingDecoder<number, number> = {
      decodeWith: (value) => new Pending(value === 0 ? first$ : throwError(() => down)),
    };
    const out = taken(source$.pipe(decode(decoder)));
    for (let at = 0; at < 20_000; at += 1) source$.next(acker.deliver(at));
    source$.complete();
    first$.error(down);
    expect([acker.nacks.length, out.ended]).toEqual([20_000, 'complete']);
  });

  itKeepsTheEnds(decode(fetching(0)));

  describe('where some wait', () => {
    itSettlesOnce(({ willSettle }) => {
      const known = new Set<number>();
      const decoder: WaitingDecoder<number, number> = {
        decodeWith: (value) => {
          if (value % 10 > 3 || known.has(value)) return value;
          if (value % 10 === 0) willSettle(value, 'nack');
          if (value % 10 === 0) return new Pending(throwError(() => down));
          return new Pending(timer(value % 10).pipe(map(() => known.add(value))));
        },
      };
      return decode(decoder);
    });
  });
});
