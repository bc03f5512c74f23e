import { describe, expect, it } from '@jest/globals';
import { Observable, type Subscriber } from 'rxjs';
import { type NextAttempt, Reconnect } from '../../src/lifecycle/reconnect.js';
import { inVirtualTime } from '../support/virtual-time.js';

const BACKOFF = { firstDelayMs: 2, maxDelayMs: 8, jitter: 0, random: () => 0 };

/** A connection that is made anew, with what happened to it; `decide` answers whether to try again. */
function kept(decide: (error: unknown, next: NextAttempt | null) => boolean = () => true) {
  const attempts: { out: Subscriber<string>; isCurrent: () => boolean }[] = [];
  const seen: string[] = [];
  let open = 0;
  const own = new Reconnect<string>({
    backoff: BACKOFF,
    connect: (isCurrent) =>
      new Observable((out) => {
        open += 1;
        attempts.push({ out, isCurrent });
        return () => {
          open -= 1;
        };
      }),
    opened: (connection) => seen.push(`opened ${connection}`),
    ended: (error, next) => {
      seen.push(`${error} ${next === null ? 'leaving' : `${next.failures} ${next.delayMs}`}`);
      return decide(error, next);
    },
  });
  const last = () => attempts.at(-1) as (typeof attempts)[number];
  return { own, attempts, seen, last, open: () => open };
}

describe('a connection that is made anew', () => {
  it('is as drawn: the wait doubles, and is short again after progress', () =>
    inVirtualTime((at) => {
      // attempts  -a---b-----c-----d--
      // ended     ---x---x-------x----
      const { own, attempts, seen, last } = kept();
      at(1, () => own.start());
      at(3, () => last().out.error('x'));
      at(4, () => expect(attempts.length).toBe(1));
      at(6, () => expect(attempts.length).toBe(2));
      at(7, () => last().out.error('x'));
      at(10, () => expect(attempts.length).toBe(2));
      at(12, () => {
        expect(attempts.length).toBe(3);
        last().out.next('c');
        expect(own.current).toBe('c');
      });
      at(13, () => own.progressed());
      at(15, () => {
        last().out.error('x');
        expect(own.current).toBeUndefined();
      });
      at(18, () => {
        expect(attempts.length).toBe(4);
        expect(seen).toEqual(['x 1 2', 'x 2 4', 'opened c', 'x 1 2']);
        own.end();
      });
    }));

  it('waits no longer than the longest wait', () =>
    inVirtualTime((at) => {
      const { own, seen, last } = kept();
      own.start();
      for (const ms of [1, 4, 9, 18, 27]) at(ms, () => last().out.error('x'));
      at(28, () => {
        expect(seen).toEqual(['x 1 2', 'x 2 4', 'x 3 8', 'x 4 8', 'x 5 8']);
        own.end();
      });
    }));

  it('counts a connection that was established for the longest wait as progress, and a shorter one as none', () =>
    inVirtualTime((at) => {
      const { own, seen, last } = kept();
      own.start();
      at(0, () => last().out.next('a'));
      at(7, () => last().out.error('short'));
      at(10, () => last().out.next('b'));
      at(17, () => last().out.error('short'));
      at(22, () => last().out.next('c'));
      at(30, () => last().out.error('long'));
      at(31, () => {
        expect(seen.filter((text) => !text.startsWith('opened'))).toEqual(['short 1 2', 'short 2 4', 'long 1 2']);
        own.end();
      });
    }));

  it('ends where `ended` says not to try again', () =>
    inVirtualTime((at) => {
      const { own, attempts, last, open } = kept((_, next) => (next?.failures ?? 0) < 2);
      own.start();
      at(1, () => last().out.error('x'));
      at(5, () => last().out.error('x'));
      at(100, () => expect([attempts.length, open()]).toEqual([2, 0]));
    }));

  it('takes an error thrown at the call for one of the connection', () =>
    inVirtualTime((at) => {
      const seen: unknown[] = [];
      const own = new Reconnect({
        backoff: BACKOFF,
        connect: () => {
          throw 'thrown';
        },
        opened: () => undefined,
        ended: (error, next) => {
          seen.push(error);
          return next?.failures === 1;
        },
      });
      own.start();
      at(50, () => expect(seen).toEqual(['thrown', 'thrown']));
    }));

  it('gives a broken connection up once: what it still brings does not count', () =>
    inVirtualTime((at) => {
      const { own, attempts, seen, last, open } = kept();
      own.start();
      const first = last();
      first.out.next('a');
      expect(first.isCurrent()).toBe(true);
      own.broken('silent');
      own.broken('silent');
      first.out.error('late');
      expect([first.isCurrent(), open(), seen]).toEqual([false, 0, ['opened a', 'silent 1 2']]);
      at(3, () => {
        expect(attempts.length).toBe(2);
        own.end();
      });
    }));

  it('makes another after so long when asked to, without a failure', () =>
    inVirtualTime((at) => {
      const { own, attempts, seen, last, open } = kept();
      own.start();
      last().out.next('a');
      own.again(20);
      expect([own.current, open()]).toEqual([undefined, 0]);
      at(19, () => expect(attempts.length).toBe(1));
      at(21, () => {
        expect([attempts.length, seen]).toEqual([2, ['opened a']]);
        own.end();
      });
    }));

  it('leaves: keeps what is established, makes no more, and says so when it ends', () =>
    inVirtualTime((at) => {
      const connected = kept();
      connected.own.start();
      connected.last().out.next('a');
      expect([connected.own.leave(), connected.open()]).toEqual(['a', 1]);
      connected.last().out.error('x');
      expect(connected.seen.at(-1)).toBe('x leaving');
      connected.own.again(0);

      const connecting = kept();
      connecting.own.start();
      expect([connecting.own.leave(), connecting.open()]).toEqual([undefined, 0]);

      const waiting = kept();
      waiting.own.start();
      waiting.last().out.error('x');
      expect(waiting.own.leave()).toBeUndefined();
      at(100, () => expect([connected, connecting, waiting].map(({ attempts }) => attempts.length)).toEqual([1, 1, 1]));
    }));

  it('ends at once from the connection and from the wait, also within what it tells', () =>
    inVirtualTime((at) => {
      const connected = kept();
      connected.own.start();
      connected.last().out.next('a');
      connected.own.end();
      expect([connected.open(), connected.own.current]).toEqual([0, undefined]);

      const within: ReturnType<typeof kept> = kept(() => {
        within.own.end();
        return true;
      });
      within.own.start();
      within.last().out.error('x');
      at(100, () => expect([connected.attempts.length, within.attempts.length]).toEqual([1, 1]));
    }));
});
