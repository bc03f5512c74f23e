import { describe, expect, it } from '@jest/globals';
import { mapValue } from '../../../operators/map-value.js';
import { Monitor } from '../../../src/core/monitor.js';
import { GiB } from '../../../src/core/units.js';
import type { FlushSignal } from '../../../src/delivery/acker.js';
import { jsonLines } from '../../../src/formats/json-lines.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { amqpSource } from '../../../src/sources/amqp/amqp-source.js';
import { memoryFileSystem } from '../../../src/testing/memory/memory-file-system.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { broker, read } from './support.js';

describe('amqpSource, its window', () => {
  it('has at most the prefetch out, and asks to hand over and then to settle when nothing moves', () => {
    const own = broker();
    own.send(
      'q',
      Array.from({ length: 9 }, (_, n) => `v${n}`),
    );
    inVirtualTime((at) => {
      const { out } = read(own, { prefetch: 3 });
      const flushListeners: FlushSignal[] = [];
      at(5, () => out[0]?.acker.flush$.subscribe((signal) => flushListeners.push(signal)));
      at(70, () => {
        expect([out.length, flushListeners]).toEqual([3, ['release', 'settle']]);
        flushListeners.length = 0;
      });
      at(500, () => expect(flushListeners).toHaveLength(4));
    });
  });

  it('asks to settle at once when all that fills it is released, and only then', () => {
    const own = broker();
    own.send('q', ['a', 'b', 'c']);
    inVirtualTime((at) => {
      const { out } = read(own, { prefetch: 2 });
      const flushListeners: string[] = [];
      at(5, () => {
        out[0]?.acker.flush$.subscribe((signal) => flushListeners.push(signal));
        out[0]?.release();
        expect(flushListeners).toEqual([]);
        out[1]?.release();
        expect(flushListeners).toEqual(['settle']);
      });
    });
  });

  it('asks nothing of holders that are at work', () => {
    const own = broker();
    own.send(
      'q',
      Array.from({ length: 99 }, (_, n) => `v${n}`),
    );
    inVirtualTime((at) => {
      const { out } = read(own, { prefetch: 3 });
      const flushListeners: string[] = [];
      at(5, () => out[0]?.acker.flush$.subscribe((signal) => flushListeners.push(signal)));
      for (let n = 0; n < 60; n += 1) at(10 + 10 * n, () => out[n]?.ack());
      at(600, () => expect([flushListeners, out.length > 50]).toEqual([[], true]));
    });
  });

  it('asks to settle what is out for long, before the broker closes the channel for that', () => {
    const own = broker();
    own.send('q', ['a']);
    inVirtualTime((at) => {
      const { out } = read(own, { settleAfterMs: 8_000 });
      const asked: number[] = [];
      at(5, () => out[0]?.acker.flush$.subscribe(() => asked.push(asked.length)));
      at(5_900, () => expect(asked).toEqual([]));
      at(8_000, () => expect(asked.length).toBeGreaterThan(0));
      at(8_001, () => out[0]?.ack());
      at(8_010, () => (asked.length = 0));
      at(30_000, () => expect(asked).toEqual([]));
    });
  });

  it('is never stalled by a file sink whose roll is far away: prefetch 10, roll at 1 GiB or 1 h', () => {
    const own = broker();
    const fs = memoryFileSystem({ latencyMs: 1 });
    const lake = fileSink<string>(fs, {
      root: '/lake',
      format: jsonLines(),
      roll: { bytes: GiB, intervalMs: 3_600_000, idleMs: 3_600_000 },
      monitor: new Monitor(),
    });
    own.send(
      'q',
      Array.from({ length: 95 }, (_, n) => `v${n}`),
    );
    inVirtualTime((at) => {
      const source = amqpSource(own, { queues: ['q'], prefetch: 10, monitor: new Monitor() });
      const values = new Set<string>();
      let files = 0;
      const running = source
        .pipe(
          mapValue((value) => value.toString()),
          lake.write(),
        )
        .subscribe(() => {
          files += 1;
        });
      at(5_000, () => {
        for (const path of Object.keys(fs.files()).filter((one) => !one.includes('_rxflume'))) {
          for (const line of fs.text(path).split('\n')) if (line !== '') values.add(line);
        }
        // The last five wait for more, or for `settleAfterMs`.
        expect([files, values.size, own.ready('q').length]).toEqual([9, 90, 0]);
        running.unsubscribe();
      });
    });
  });
});
