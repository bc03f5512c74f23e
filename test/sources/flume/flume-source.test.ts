import { describe, expect, it } from '@jest/globals';
import { catchError, concat, EMPTY, NEVER, type ObservableInput, of, Subject, throwError } from 'rxjs';
import { OptionError, SinkError, SourceError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { FlumeEvent } from '../../../src/formats/flume-event.js';
import type { FlumeConnection, FlumeStatus } from '../../../src/ports/flume-rpc.js';
import { flumeSource } from '../../../src/sources/flume/flume-source.js';
import type { FlumeSourceOptions } from '../../../src/sources/flume/options.js';
import { MemoryFlume } from '../../../src/testing/memory/memory-flume.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

const events = (...names: string[]): FlumeEvent[] => names.map((name) => ({ headers: {}, body: Buffer.from(name) }));

/** A source that listens from 1 ms on, and a client that is connected from 3 ms on. */
function start(options: Partial<FlumeSourceOptions> = {}) {
  const flume = new MemoryFlume();
  const monitor = new Monitor();
  const run = new SourceRun(flumeSource(flume.server(), { name: 'test', monitor, ...options }));
  return Object.assign(run, {
    flume,
    monitor,
    values: () => run.seen.map(({ value }) => String(value.body)),
    of: (name: string) => run.seen.find(({ value }) => String(value.body) === name) as Delivery<FlumeEvent>,
    client: () => connectTo(flume),
  });
}

function connectTo(flume: MemoryFlume) {
  const answers: (FlumeStatus | string)[] = [];
  let connection: FlumeConnection | undefined;
  const life = flume.connect(0).subscribe({
    next: (made) => {
      connection = made;
    },
    error: (error: { code: string }) => answers.push(error.code),
  });
  return {
    answers,
    send: (...names: string[]) =>
      connection?.append(events(...names)).subscribe({
        next: (status) => answers.push(status),
        error: (error: { code: string }) => answers.push(error.code),
      }),
    leave: () => life.unsubscribe(),
  };
}

/** Runs with a client that is connected. */
function connected(
  options: Partial<FlumeSourceOptions>,
  body: (
    run: ReturnType<typeof start>,
    client: ReturnType<typeof connectTo>,
    at: (ms: number, action: () => void) => void,
  ) => void,
) {
  inVirtualTime((at) => {
    const run = start(options);
    at(2, () => {
      const client = run.client();
      at(2, () => body(run, client, at));
    });
    at(60_000, () => run.leave());
  });
}

describe('flumeSource', () => {
  it('answers OK when all of a batch is acked, FAILED when one of it is nacked', () =>
    connected({}, (run, client, at) => {
      client.send('a', 'b');
      at(2, () => {
        expect(run.values()).toEqual(['a', 'b']);
        run.of('b').ack();
        at(5, () => {
          expect(client.answers).toEqual([]);
          run.of('a').ack();
          client.send('c', 'd');
        });
      });
      at(20, () => {
        expect(client.answers).toEqual(['OK']);
        run.of('d').nack(new SinkError('RXF_SINK_WRITE', 'no'));
        run.of('c').ack();
      });
      at(25, () => {
        expect(client.answers).toEqual(['OK', 'FAILED']);
        expect(run.monitor.total('rxflume_source_acked_total')).toBe(2);
        expect(run.monitor.total('rxflume_source_nacked_total')).toBe(2);
      });
    }));

  it('gives rising offsets of one stream over all clients, and the time of the header', () =>
    inVirtualTime((at) => {
      const run = start();
      at(2, () => {
        const [one, two] = [run.client(), run.client()];
        at(2, () => {
          one.send('a', 'b');
          two.send('c');
        });
        at(5, () => {
          const base = run.seen[0]?.origin.offset as number;
          expect(run.seen.map(({ origin }) => [origin.stream, origin.offset - base])).toEqual([
            ['flume:test', 0],
            ['flume:test', 1],
            ['flume:test', 2],
          ]);
          expect(run.seen[0]?.origin.timestamp).toBeUndefined();
          run.leave();
        });
      });
    }));

  it('counts what events take in memory, not their bytes: a frame of tiny headers fills the window', () =>
    inVirtualTime((at) => {
      const run = start({ window: { bytes: 1024 * 1024 } });
      at(2, () => {
        run.flume
          .connect(0)
          .pipe(catchError(() => EMPTY))
          .subscribe((connection) => {
            for (let n = 0; n < 3; n += 1) {
              const headers = Object.fromEntries(Array.from({ length: 11_000 }, (_, name) => [`${n}.${name}`, '']));
              connection.append([{ headers, body: Buffer.from(`batch ${n}`) }]).subscribe({ error: () => undefined });
            }
          });
      });
      at(20, () => expect(run.values()).toEqual(['batch 0']));
      at(25, () => run.of('batch 0').release());
      at(30, () => {
        expect(run.values()).toEqual(['batch 0', 'batch 1']);
        run.leave();
      });
    }));

  it('takes the time from the header `timestamp`, and none where it is no time', () =>
    inVirtualTime((at) => {
      const run = start();
      at(2, () => {
        run.flume
          .connect(0)
          .pipe(catchError(() => EMPTY))
          .subscribe((connection) => {
            const times = ['1700000000000', '-5', '12x', '99999999999999999'];
            const made = times.map((timestamp) => ({ headers: { timestamp }, body: Buffer.from('x') }));
            connection.append(made).subscribe({ error: () => undefined });
          });
      });
      at(10, () => {
        const times = run.seen.map(({ origin }) => origin.timestamp);
        expect(times).toEqual([1_700_000_000_000, undefined, undefined, undefined]);
        run.leave();
      });
    }));

  it('withholds answers while the window is full, and goes on when something is released', () =>
    connected({ window: { count: 2 } }, (run, client, at) => {
      client.send('a', 'b', 'c');
      client.send('d');
      at(10, () => {
        expect(run.values()).toEqual(['a', 'b']);
        run.of('a').release();
        expect(run.values()).toEqual(['a', 'b', 'c']);
        for (const name of ['a', 'b', 'c']) run.of(name).ack();
      });
      at(20, () => {
        expect(run.values()).toEqual(['a', 'b', 'c', 'd']);
        expect(client.answers).toEqual(['OK']);
        run.of('d').ack();
      });
      at(30, () => expect(client.answers).toEqual(['OK', 'OK']));
    }));

  it('receives nothing while something waits for the window', () =>
    connected({ window: { count: 1 } }, (run, client, at) => {
      client.send('a', 'b');
      at(5, () => {
        // Would be received, were the server not paused.
        client.send('c');
        at(5, () => {
          expect(run.monitor.total('rxflume_source_batches_total')).toBe(1);
          for (const name of ['a', 'b']) run.of(name).ack();
        });
        at(10, () => expect(run.values()).toEqual(['a', 'b', 'c']));
      });
    }));

  it('asks its holders to settle once a client has waited for so long, and again as long as it waits', () =>
    connected({ settleAfterMs: 500 }, (run, client, at) => {
      client.send('a');
      at(450, () => expect(run.asked).toEqual([]));
      at(700, () => expect(run.asked).toEqual(['settle']));
      at(1_300, () => {
        expect(run.asked).toEqual(['settle', 'settle']);
        run.of('a').ack();
      });
      at(3_000, () => expect(run.asked).toEqual(['settle', 'settle']));
    }));

  it('asks for release when the window is full and nothing is released', () =>
    connected({ window: { count: 1 }, settleAfterMs: 10_000 }, (run, client, at) => {
      client.send('a', 'b');
      at(350, () => {
        expect(run.asked).toEqual(['release', 'release', 'release']);
        run.of('a').release();
        expect(run.values()).toEqual(['a', 'b']);
      });
    }));

  it('drops the rest of a batch that was nacked while a part of it waited', () =>
    connected({ window: { count: 1 } }, (run, client, at) => {
      client.send('a', 'b');
      client.send('c');
      at(5, () => run.of('a').nack(new Error('no')));
      at(10, () => {
        expect(run.values()).toEqual(['a', 'c']);
        expect(client.answers).toEqual(['FAILED']);
        run.of('c').ack();
      });
      at(15, () => expect(client.answers).toEqual(['FAILED', 'OK']));
    }));

  it('counts what was acked when its client had gone: it will be redelivered', () =>
    connected({}, (run, client, at) => {
      client.send('a', 'b');
      at(5, () => {
        client.leave();
        for (const name of ['a', 'b']) run.of(name).ack();
        expect(run.monitor.total('rxflume_source_unheard_total')).toBe(2);
        expect(run.monitor.total('rxflume_source_clients')).toBe(0);
      });
    }));

  it('drains: asks to settle, answers what is out, nacks what waits, completes', () =>
    connected({ window: { count: 2 } }, (run, client, at) => {
      client.send('a', 'b');
      client.send('c');
      at(5, () => {
        run.drain();
        expect(run.asked).toEqual(['settle']);
      });
      at(8, () => expect(client.answers).toEqual(['FAILED']));
      at(10, () => {
        for (const name of ['a', 'b']) run.of(name).ack();
      });
      at(20, () => {
        expect(client.answers).toEqual(['FAILED', 'OK', 'RXF_FLUME_UNREACHABLE']);
        expect(run.values()).toEqual(['a', 'b']);
        expect(run.ended).toBe('complete');
      });
    }));

  it('ends with the error of a stop signal that fails', () =>
    inVirtualTime((at) => {
      const stop$ = new Subject<void>();
      let ended: unknown;
      flumeSource(new MemoryFlume().server(), { name: 'test', monitor: new Monitor() })
        .drainedBy(stop$)
        .subscribe({
          error: (error: unknown) => {
            ended = error;
          },
        });
      const cause = new Error('no signal');
      at(5, () => stop$.error(cause));
      at(10, () => expect(ended).toBe(cause));
    }));

  it.each<[string, () => ObservableInput<unknown>]>([
    ['fails', () => throwError(() => new Error('no'))],
    ['never answers', () => NEVER],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('ends a drain in time where the close of a server %s', (_, close) =>
    inVirtualTime((at) => {
      const stop$ = new Subject<void>();
      const server = { name: 'x', listen: () => concat(of({ address: 'x', pause() {}, resume() {}, close }), NEVER) };
      let ended = '';
      flumeSource(server, { name: 'test', drainTimeoutMs: 500, monitor: new Monitor() })
        .drainedBy(stop$)
        .subscribe({
          error: () => {
            ended = 'error';
          },
          complete: () => {
            ended = 'complete';
          },
        });
      at(5, () => stop$.next());
      at(600, () => expect(ended).toBe('complete'));
    }),
  );

  it('drains at once when nothing is out, also before it listens', () =>
    inVirtualTime((at) => {
      const early = start();
      early.drain();
      const late = start();
      at(5, () => late.drain());
      at(10, () => expect([early.ended, late.ended]).toEqual(['complete', 'complete']));
    }));

  it('ends a drain in time, and answers FAILED to what was not settled', () =>
    connected({ drainTimeoutMs: 1_000 }, (run, client, at) => {
      client.send('a');
      at(5, () => run.drain());
      at(900, () => expect(run.ended).toBe(''));
      at(1_100, () => {
        expect(run.ended).toBe('error');
        expect(run.error).toBeInstanceOf(SourceError);
        expect(run.error).toMatchObject({ code: 'RXF_SOURCE_DRAIN_TIMEOUT' });
        expect(client.answers[0]).toBe('FAILED');
      });
    }));

  it('distinguishes a drain in which something was nacked from a good one', () =>
    connected({}, (run, client, at) => {
      client.send('a');
      at(5, () => {
        run.drain();
        run.of('a').nack(new Error('disk'));
      });
      at(20, () => {
        expect(client.answers[0]).toBe('FAILED');
        expect(run.error).toMatchObject({ code: 'RXF_SOURCE_NACKED' });
      });
    }));

  it('is abandoned by unsubscribing: clients are cut, acks are stale', () =>
    connected({}, (run, client, at) => {
      client.send('a');
      at(5, () => {
        run.leave();
        expect(client.answers).toEqual(['RXF_FLUME_LOST', 'RXF_FLUME_UNREACHABLE']);
        run.of('a').ack();
        expect(run.monitor.total('rxflume_source_acked_total')).toBe(0);
        expect(run.monitor.total('rxflume_source_joined')).toBe(0);
      });
    }));

  it('fails where it cannot listen', () =>
    inVirtualTime((at) => {
      const first = start();
      let code = '';
      flumeSource(first.flume.server(), { name: 'second' }).subscribe({
        error: (error: { code: string }) => {
          code = error.code;
        },
      });
      at(5, () => {
        expect(code).toBe('RXF_FLUME_LISTEN');
        first.leave();
      });
    }));

  it('survives a sink that settles within the emission', () =>
    connected({ window: { count: 1 } }, (run, client, at) => {
      run.onNext = (delivery) => delivery.ack();
      for (let n = 0; n < 50; n += 1) client.send(`${n}a`, `${n}b`);
      at(10, () => {
        expect(client.answers).toEqual(Array.from({ length: 50 }, () => 'OK'));
        expect(run.seen.length).toBe(100);
      });
    }));

  it('checks its options at the call', () => {
    const server = new MemoryFlume().server();
    expect(() => flumeSource(server, { name: '' })).toThrow(OptionError);
    expect(() => flumeSource(server, { name: 'x', settleAfterMs: 0 })).toThrow('`settleAfterMs`');
    expect(() => flumeSource(server, { name: 'x', window: { count: 0 } })).toThrow('`window.count`');
    expect(() => flumeSource({} as never, { name: 'x' })).toThrow('`server.listen`');
  });
});
