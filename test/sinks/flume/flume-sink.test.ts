import { describe, expect, it } from '@jest/globals';
import { OptionError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { FlumeEvent } from '../../../src/formats/flume-event.js';
import type { FlumeBatch, FlumeStatus } from '../../../src/ports/flume-rpc.js';
import { flumeSink } from '../../../src/sinks/flume/flume-sink.js';
import type { FlumeSinkOptions } from '../../../src/sinks/flume/options.js';
import { MemoryFlume } from '../../../src/testing/memory/memory-flume.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

interface Agent {
  readonly got: FlumeBatch[];
  answer: FlumeStatus | 'later' | ((batch: FlumeBatch) => FlumeStatus);
  stop(): void;
}

const textOf = (batch: FlumeBatch) => batch.events.map(({ body }) => String(body)).join('');

/** A sink over agents in memory, all of which listen at first. */
function start(options: FlumeSinkOptions = {}, names = ['a1']) {
  const flume = new MemoryFlume({ agents: names });
  const agents = names.map((_, at) => listen(flume, at));
  const monitor = new Monitor();
  const retry = { firstDelayMs: 100, random: () => 0, ...options.retry };
  const sink = flumeSink(flume, { batch: { count: 2, maxWaitMs: 10 }, monitor, ...options, retry });
  return Object.assign(new SinkRun<FlumeEvent>(sink.write()), {
    flume,
    agents,
    monitor,
    other: new RecordingAcker('test:1'),
  });
}

/** Puts in an event of each letter. */
function put(run: SinkRun<FlumeEvent>, letters: string, acker = run.acker) {
  for (const letter of letters) run.put({ headers: {}, body: Buffer.from(letter) }, {}, acker, letter);
}

function listen(flume: MemoryFlume, at: number): Agent {
  const agent: Agent = { got: [], answer: 'OK', stop: () => listening.unsubscribe() };
  const listening = flume
    .server(at)
    .listen({
      batch: (batch) => {
        agent.got.push(batch);
        const { answer } = agent;
        if (answer !== 'later') batch.reply(typeof answer === 'function' ? answer(batch) : answer);
      },
      clients: () => undefined,
      logEvent: () => undefined,
    })
    .subscribe();
  return agent;
}

describe('flumeSink', () => {
  it('sends batches by count, and acks each when the agent has it', () =>
    inVirtualTime((at) => {
      const run = start();
      at(2, () => put(run, 'abcde'));
      at(30, () => {
        expect(run.agents[0]?.got.map(textOf)).toEqual(['ab', 'cd', 'e']);
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'd', 'e']);
        expect(run.receipts).toHaveLength(3);
        expect(run.receipts[0]).toEqual({
          sink: 'flume',
          target: 'a1',
          values: 2,
          bytes: 2,
          stream: 'test:0',
          firstOffset: 0,
          lastOffset: 1,
        });
        run.leave();
      });
    }));

  it('splits by bytes; a larger event goes alone', () =>
    inVirtualTime((at) => {
      const run = start({ batch: { count: 10, bytes: 4, maxWaitMs: 10 } });
      at(2, () => {
        for (const text of ['aa', 'bb', 'c', 'dddddd', 'e']) {
          run.put({ headers: {}, body: Buffer.from(text) }, {}, run.acker, text);
        }
      });
      at(50, () => {
        expect(run.agents[0]?.got.map(textOf)).toEqual(['aabb', 'c', 'dddddd', 'e']);
        run.leave();
      });
    }));

  it.each(['FAILED', 'UNKNOWN'] as const)('%s nacks that batch alone', (status) =>
    inVirtualTime((at) => {
      const run = start();
      at(2, () => {
        (run.agents[0] as Agent).answer = (batch) => (/[ab]/.test(textOf(batch)) ? status : 'OK');
        put(run, 'ab');
        put(run, 'xy', run.other);
      });
      at(1_000, () => {
        expect(run.acker.nacks).toEqual(['a', 'b']);
        expect(run.acker.causes.a).toMatchObject({ code: 'RXF_FLUME_REJECTED', retryable: true });
        expect(run.other.acks).toEqual(['x', 'y']);
        run.leave();
      });
    }),
  );

  it('keeps each stream in order: one batch of it is under way at a time', () =>
    inVirtualTime((at) => {
      const run = start();
      const [agent] = run.agents as [Agent];
      agent.answer = 'later';
      at(2, () => {
        put(run, 'abcd');
        put(run, 'xy', run.other);
      });
      at(20, () => {
        expect(agent.got.map(textOf).sort()).toEqual(['ab', 'xy']);
        for (const batch of agent.got) batch.reply('OK');
      });
      at(40, () => {
        expect(agent.got.map(textOf)).toContain('cd');
        run.leave();
      });
    }));

  it('without order, sends as many as the connections take', () =>
    inVirtualTime((at) => {
      const run = start({ order: 'none', connections: 2, maxInFlight: 2 });
      const [agent] = run.agents as [Agent];
      agent.answer = 'later';
      at(2, () => put(run, 'abcdefghijkl'));
      at(50, () => {
        expect(agent.got).toHaveLength(4);
        expect(run.monitor.total('rxflume_sink_connections')).toBe(2);
        agent.got[0]?.reply('OK');
      });
      at(60, () => {
        expect(agent.got).toHaveLength(5);
        run.leave();
      });
    }));

  it('sends again what was lost without an answer, and counts it', () =>
    inVirtualTime((at) => {
      const run = start();
      const [agent] = run.agents as [Agent];
      agent.answer = 'later';
      at(2, () => put(run, 'ab'));
      at(10, () => {
        expect(agent.got).toHaveLength(1);
        agent.answer = 'OK';
        run.flume.cut();
      });
      at(50, () => expect(agent.got).toHaveLength(1));
      at(200, () => {
        expect(agent.got.map(textOf)).toEqual(['ab', 'ab']);
        expect(run.acker.acks).toEqual(['a', 'b']);
        expect(run.monitor.total('rxflume_sink_resent_total')).toBe(2);
        run.leave();
      });
    }));

  it('nacks a batch that is lost again and again', () =>
    inVirtualTime((at) => {
      const run = start({ retry: { maxAttempts: 2, firstDelayMs: 10 } });
      const [agent] = run.agents as [Agent];
      agent.answer = 'later';
      at(2, () => put(run, 'ab'));
      for (const ms of [20, 60]) at(ms, () => run.flume.cut());
      at(100, () => {
        expect(run.acker.nacks).toEqual(['a', 'b']);
        expect(run.acker.causes.a).toMatchObject({ code: 'RXF_FLUME_LOST', retryable: true });
        run.leave();
      });
    }));

  it('fails over to the next agent, and goes back when the first can be reached again', () =>
    inVirtualTime((at) => {
      const run = start({}, ['a1', 'a2']);
      const [first, second] = run.agents as [Agent, Agent];
      at(2, () => put(run, 'ab'));
      at(10, () => {
        expect(run.flume.attempts).toEqual(['a1']);
        first.stop();
        put(run, 'cd');
      });
      at(30, () => {
        expect(second.got.map(textOf)).toEqual(['cd']);
        expect(run.acker.acks).toEqual(['a', 'b', 'c', 'd']);
      });
      let back: Agent;
      at(50, () => {
        back = listen(run.flume, 0);
      });
      at(400, () => put(run, 'ef'));
      at(420, () => put(run, 'gh'));
      at(500, () => {
        // What came while the first was being connected to went to the one that stood.
        expect(second.got.map(textOf)).toEqual(['cd', 'ef']);
        expect(back.got.map(textOf)).toEqual(['gh']);
        run.leave();
      });
    }));

  it('balances between agents, and leaves one that rejects alone for a while', () =>
    inVirtualTime((at) => {
      const run = start({ strategy: 'balance', order: 'none', connections: 1, maxInFlight: 1 }, ['a1', 'a2']);
      const [first, second] = run.agents as [Agent, Agent];
      at(2, () => put(run, 'abcdefgh'));
      at(40, () => {
        expect([first.got.length, second.got.length]).toEqual([2, 2]);
        first.answer = 'FAILED';
        put(run, 'ijklmnopqrst');
      });
      at(100, () => {
        expect(first.got.length).toBe(3);
        expect(second.got.length).toBe(7);
        expect(run.acker.nacks).toHaveLength(2);
        run.leave();
      });
    }));

  it('nacks what waits when no agent can be reached after so many attempts', () =>
    inVirtualTime((at) => {
      const run = start({ retry: { maxAttempts: 3, firstDelayMs: 100 } });
      run.agents[0]?.stop();
      at(2, () => put(run, 'ab'));
      at(250, () => expect(run.acker.nacks).toEqual([]));
      at(500, () => {
        expect(run.acker.nacks).toEqual(['a', 'b']);
        expect(run.acker.causes.a).toMatchObject({ code: 'RXF_FLUME_DOWN', retryable: true });
        run.leave();
      });
    }));

  it('nacks what is no event, alone', () =>
    inVirtualTime((at) => {
      const run = start();
      at(2, () => {
        run.put({ body: 'text' } as unknown as FlumeEvent, {}, run.acker, 'bad');
        run.put({ headers: { n: 1 }, body: Buffer.from('') } as never, {}, run.acker, 'worse');
        put(run, 'ab');
      });
      at(20, () => {
        expect(run.acker.nacks).toEqual(['bad', 'worse']);
        expect(run.acker.causes.bad).toMatchObject({ code: 'RXF_SINK_FORMAT' });
        expect(run.acker.acks).toEqual(['a', 'b']);
        run.leave();
      });
    }));

  it('sends at once what its source asks for', () =>
    inVirtualTime((at) => {
      const run = start({ batch: { count: 100, maxWaitMs: 10_000 } });
      at(2, () => put(run, 'a'));
      at(5, () => run.acker.flush$.next('release'));
      at(20, () => {
        expect(run.acker.acks).toEqual(['a']);
        run.leave();
      });
    }));

  it('sends what it gathered when a value of the same stream has another acker, as joined values have', () =>
    inVirtualTime((at) => {
      const run = start({ batch: { count: 10, maxWaitMs: 10 } });
      const joined = new RecordingAcker('test:0');
      at(2, () => {
        put(run, 'a');
        put(run, 'x', joined);
      });
      at(30, () => {
        expect(run.agents[0]?.got.map(textOf)).toEqual(['a', 'x']);
        expect([run.acker.log, joined.log].flat().filter((one) => !one.startsWith('release'))).toEqual([
          'ack a',
          'ack x',
        ]);
        run.leave();
      });
    }));

  it('gives up what is not sent of an epoch that is over, and frees the window', () =>
    inVirtualTime((at) => {
      const run = start();
      (run.agents[0] as Agent).answer = 'later';
      at(2, () => put(run, 'abcde'));
      at(10, () => {
        run.acker.flush$.complete();
        expect(run.acker.nacks.sort()).toEqual(['c', 'd', 'e']);
        expect(run.agents[0]?.got.map(textOf)).toEqual(['ab']);
      });
      at(50, () => {
        expect(run.agents[0]?.got).toHaveLength(1);
        run.leave();
      });
    }));

  it('does not send again what was lost of an epoch that is over', () =>
    inVirtualTime((at) => {
      const run = start();
      const [agent] = run.agents as [Agent];
      agent.answer = 'later';
      at(2, () => put(run, 'ab'));
      at(10, () => {
        run.acker.flush$.complete();
        agent.answer = 'OK';
        run.flume.cut();
        put(run, 'xy', run.other);
      });
      at(500, () => {
        expect(agent.got.map(textOf)).toEqual(['ab', 'xy']);
        expect(run.acker.nacks).toEqual(['a', 'b']);
        run.leave();
      });
    }));

  it('completes when its deliveries do and everything is answered', () =>
    inVirtualTime((at) => {
      const run = start();
      const [agent] = run.agents as [Agent];
      agent.answer = 'later';
      at(2, () => {
        put(run, 'abc');
        run.complete();
      });
      at(10, () => agent.got[0]?.reply('OK'));
      at(20, () => {
        expect(run.ended).toBe('');
        agent.got[1]?.reply('OK');
      });
      at(30, () => {
        expect(run.ended).toBe('complete');
        expect(run.acker.acks).toEqual(['a', 'b', 'c']);
        expect(run.monitor.total('rxflume_sink_connections')).toBe(0);
      });
    }));

  it('nacks all it has when it is unsubscribed', () =>
    inVirtualTime((at) => {
      const run = start();
      (run.agents[0] as Agent).answer = 'later';
      at(2, () => put(run, 'abcde'));
      at(10, () => {
        run.leave();
        expect(run.acker.nacks.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
        expect(run.acker.causes.a).toMatchObject({ code: 'RXF_SINK_STOPPED' });
      });
    }));

  it('checks its options at the call', () => {
    const flume = new MemoryFlume();
    expect(() => flumeSink(flume, { strategy: 'random' as never })).toThrow(OptionError);
    expect(() => flumeSink(flume, { batch: { count: 0 } })).toThrow('`batch.count`');
    expect(() => flumeSink(flume, { batch: { size: 1 } as never })).toThrow('`size`');
    expect(() => flumeSink({} as never)).toThrow('`client.connect`');
  });
});
