import { describe, expect, it } from '@jest/globals';
import { retryConnect } from '../../../operators/retry-connect.js';
import { amqpSource, amqpStreamSource, fileSink, flow, httpSink, jsonLines } from '../../../src/index.js';
import { MemoryAmqp, MemoryHttp, memoryFileSystem } from '../../../src/testing/index.js';

const lake = () => fileSink<unknown>(memoryFileSystem(), { root: '/lake', format: jsonLines() }).write();

describe('a queue into files', () => {
  it.each([
    [{}, 1_000, 200],
    [{ prefetch: 5_000 }, 5_000, 1_000],
  ])('warns with %j how many messages a file can hold, and how many bytes that is', (options, count, kilobytes) => {
    const source = amqpSource(new MemoryAmqp(), { queues: ['q'], ...options });
    const { warnings } = flow('q-to-files', source.pipe(retryConnect()), lake());
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`A file holds at most ${count} messages of a queue (\`prefetch\`)`);
    expect(warnings[0]).toContain(`about ${kilobytes} kB at 200 bytes a message. Raise \`prefetch\` to at least 20000`);
  });

  it.each([
    [
      'a prefetch that is large',
      () => flow('q', amqpSource(new MemoryAmqp(), { queues: ['q'], prefetch: 20_000 }), lake()),
    ],
    [
      'a stream, whose prefetch does not wait for rolls',
      () => flow('q', amqpStreamSource(new MemoryAmqp(), { queues: ['q'] }), lake()),
    ],
    [
      'another sink',
      () =>
        flow(
          'q',
          amqpSource(new MemoryAmqp(), { queues: ['q'] }),
          httpSink<unknown>(new MemoryHttp(), { url: 'http://s/' }).write(),
        ),
    ],
  ])('says nothing of %s', (_, make) => expect(make().warnings).toEqual([]));
});
