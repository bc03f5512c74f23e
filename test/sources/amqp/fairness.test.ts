import { describe, expect, it } from '@jest/globals';
import { Monitor } from '../../../src/core/monitor.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import { amqpStreamSource } from '../../../src/sources/amqp/amqp-stream-source.js';
import { MemoryAmqp } from '../../../src/testing/memory/memory-amqp.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { run } from './support.js';

const QUEUES = ['hot', 'cold', 'late'];
const PREFETCH = 10;

describe.each(['classic', 'quorum', 'stream'] as const)('several queues of one source: %s', (kind) => {
  const start = () => {
    const own = new MemoryAmqp();
    for (const queue of QUEUES) own.createQueue(queue, kind);
    own.send(
      'hot',
      Array.from({ length: 2_000 }, (_, n) => `hot${n}`),
    );
    own.send('cold', ['cold0', 'cold1']);
    const options = { queues: QUEUES, monitor: new Monitor(), prefetch: PREFETCH, ack: { count: 1 } };
    return { own, ...run(kind === 'stream' ? amqpStreamSource(own, options) : amqpSource(own, options)) };
  };

  it('a hot one makes a message of another wait for no more than what is out, however slow the sink', () => {
    inVirtualTime((at) => {
      const { own, out, seen, running } = start();
      // One message each 5 ms, in the order they came: slower than the queue by far.
      let stored = 0;
      for (let time = 5; time < 2_000; time += 5) at(time, () => out[stored++]?.ack());
      at(1_000, () => {
        own.send('late', ['late0']);
      });
      at(1_000 + 5 * (QUEUES.length * PREFETCH + 2), () => {
        expect(stored).toBeGreaterThan(seen.indexOf('late0'));
        expect(seen.indexOf('late0')).toBeGreaterThan(0);
        expect(seen.indexOf('cold1')).toBeLessThan(QUEUES.length * PREFETCH);
      });
      at(2_001, () => running.unsubscribe());
    });
  });

  it('one whose messages are never settled holds up no other', () => {
    inVirtualTime((at) => {
      const { own, out, seen, running } = start();
      let looked = 0;
      const settle = () => {
        for (; looked < out.length; looked += 1) if (!String(out[looked]?.value).startsWith('hot')) out[looked]?.ack();
      };
      for (let time = 5; time < 5_000; time += 5) at(time, settle);
      for (let nth = 0; nth < 40; nth += 1) at(100 * (nth + 1), () => own.send('late', [`late${nth}`]));
      at(5_000, () => {
        expect(seen.filter((value) => value.startsWith('hot'))).toHaveLength(PREFETCH);
        expect(seen.filter((value) => value.startsWith('late'))).toHaveLength(40);
        running.unsubscribe();
      });
    });
  });
});
