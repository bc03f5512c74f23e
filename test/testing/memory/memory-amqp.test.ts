import { describe, expect, it } from '@jest/globals';
import { from, type Subscription } from 'rxjs';
import type { AmqpConsumer, AmqpConsumption, AmqpMessage } from '../../../src/ports/amqp-consumer.js';
import type { AmqpPublisher } from '../../../src/ports/amqp-publisher.js';
import { MemoryAmqp } from '../../../src/testing/memory/memory-amqp.js';
import { inVirtualTime } from '../../support/virtual-time.js';

interface Reader {
  readonly seen: string[];
  readonly messages: AmqpMessage[];
  consumer: AmqpConsumer;
  ended: string;
  readonly running: Subscription;
}

function read(broker: MemoryAmqp, consumption: Partial<AmqpConsumption> = {}): Reader {
  const messages: AmqpMessage[] = [];
  const reader = { seen: [] as string[], messages, ended: '' } as unknown as Reader;
  const listener = {
    message: (message: AmqpMessage) => {
      messages.push(message);
      reader.seen.push(`${message.content.toString()}${message.isRedelivered ? '*' : ''}`);
    },
    logEvent: () => undefined,
  };
  const running = broker.consume({ queue: 'q', prefetch: 10, ...consumption }, listener).subscribe({
    next: (consumer) => {
      reader.consumer = consumer;
    },
    error: ({ code }: { code: string }) => {
      reader.ended = code;
    },
    complete: () => {
      reader.ended = 'complete';
    },
  });
  return Object.assign(reader, { running });
}

describe('MemoryAmqp, its queues', () => {
  it('gives up to the prefetch, more as it is acked, and takes back in order what was out at the end', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    broker.send('q', ['a', 'b', 'c', 'd', 'e']);
    inVirtualTime((at) => {
      const one = read(broker, { prefetch: 2 });
      at(10, () => expect(one.seen).toEqual(['a', 'b']));
      at(11, () => one.consumer.ack(2, false));
      at(20, () => {
        expect(one.seen).toEqual(['a', 'b', 'c']);
        one.running.unsubscribe();
        expect(broker.ready('q')).toEqual(['a', 'c', 'd', 'e']);
      });
      at(21, () => {
        const two = read(broker);
        at(10, () => {
          expect(two.seen).toEqual(['a*', 'c*', 'd', 'e']);
          two.consumer.ack(3, true);
        });
        at(20, () => expect([broker.unacked('q'), broker.settlements.at(-1)?.contents]).toEqual([1, ['a', 'c', 'd']]));
      });
    });
  });

  it('closes the channel at an unknown tag', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    broker.send('q', ['a']);
    inVirtualTime((at) => {
      const one = read(broker);
      at(10, () => one.consumer.ack(7, false));
      at(20, () => expect([one.ended, broker.ready('q')]).toEqual(['RXF_AMQP_LOST', ['a']]));
    });
  });

  it('dead-letters what is discarded, and in a quorum queue what came back too often', () => {
    const broker = new MemoryAmqp();
    broker.createExchange('dlx', 'fanout');
    broker.createQueue('dead');
    broker.bind('dead', { exchange: 'dlx', routingKey: '' });
    broker.createQueue('q', 'quorum', { 'x-delivery-limit': 1, 'x-dead-letter-exchange': 'dlx' });
    broker.send('q', ['a', 'b']);
    inVirtualTime((at) => {
      const one = read(broker);
      at(10, () => one.consumer.nack(1, false, 'requeue'));
      at(20, () => {
        expect(one.messages.at(-1)?.properties.headers).toEqual({ 'x-delivery-count': 1 });
        one.consumer.nack(3, false, 'requeue');
        one.consumer.nack(2, false, 'discard');
      });
      at(30, () => {
        const reasons = broker.messages('dead').map(({ properties }) => properties.headers?.['x-first-death-reason']);
        expect([broker.ready('dead'), reasons]).toEqual([
          ['a', 'b'],
          ['delivery_limit', 'rejected'],
        ]);
      });
    });
  });

  it('gives to its consumers in turn', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    inVirtualTime((at) => {
      const [one, two] = [read(broker), read(broker)];
      at(5, () => broker.send('q', ['a', 'b', 'c', 'd']));
      at(10, () =>
        expect([one.seen, two.seen]).toEqual([
          ['a', 'c'],
          ['b', 'd'],
        ]),
      );
    });
  });

  it.each([
    ['cut', 'RXF_AMQP_LOST'],
    ['closeChannels', 'RXF_AMQP_LOST'],
    ['cancelConsumers', 'RXF_AMQP_CANCELLED'],
    ['deleteQueue', 'RXF_AMQP_CANCELLED'],
  ] as const)('%s ends consumers', (fault, code) => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    inVirtualTime((at) => {
      const one = read(broker);
      at(5, () => broker[fault]('q'));
      at(6, () => expect([one.ended, broker.consumers('q')]).toEqual([code, 0]));
    });
  });

  it('loses acks of a connection that is dead, and gives the messages again', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    broker.send('q', ['a']);
    inVirtualTime((at) => {
      const one = read(broker);
      at(5, () => {
        broker.deafen();
        one.consumer.ack(1, false);
      });
      at(10, () => broker.cut());
      at(11, () => expect(broker.messages('q')[0]?.isRedelivered).toBe(true));
    });
  });

  it('stops giving after cancel, settles what is out, and completes after close', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    broker.send('q', ['a', 'b']);
    inVirtualTime((at) => {
      const one = read(broker, { prefetch: 1 });
      at(5, () => from(one.consumer.cancel()).subscribe());
      at(10, () => {
        one.consumer.ack(1, false);
        from(one.consumer.close()).subscribe();
      });
      at(15, () => expect([one.seen, one.ended, broker.ready('q')]).toEqual([['a'], 'complete', ['b']]));
    });
  });

  it('declares, and finds what differs', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('there', 'quorum');
    inVirtualTime((at) => {
      const kind = 'classic' as const;
      const readers = [
        read(broker),
        read(broker, { queue: 'there', declare: { kind } }),
        read(broker, {
          declare: {
            kind,
            exchanges: [{ name: 'e', kind: 'topic' }],
            bindings: [{ exchange: 'e', routingKey: 'a.*.#' }],
          },
        }),
      ];
      at(5, () => {
        expect(readers.map(({ ended }) => ended)).toEqual(['RXF_AMQP_MISSING', 'RXF_AMQP_MISMATCH', '']);
        expect([broker.publish('e', 'a.b.c.d', '1'), broker.publish('e', 'a', '2')]).toEqual([true, false]);
      });
    });
  });
});

describe('MemoryAmqp, its streams', () => {
  const offsets = ({ messages }: Reader) => messages.map(({ properties }) => properties.headers?.['x-stream-offset']);

  it.each([
    ['first', [0, 1, 2, 3]],
    ['last', [2, 3]],
    ['next', []],
    [3, [3]],
  ])('begins at %s and removes nothing', (from, expected) => {
    const broker = new MemoryAmqp();
    broker.createQueue('q', 'stream');
    inVirtualTime((at) => {
      broker.send('q', ['a', 'b']);
      at(1, () => broker.send('q', ['c', 'd']));
      at(2, () => {
        const one = read(broker, { arguments: { 'x-stream-offset': from } });
        at(9, () => {
          expect([offsets(one), broker.ready('q')]).toEqual([expected, ['a', 'b', 'c', 'd']]);
          one.running.unsubscribe();
        });
      });
    });
  });

  it('gives whole chunks where asked, and nothing that was trimmed; acks are credit', () => {
    const broker = new MemoryAmqp({ givesChunks: true });
    broker.createQueue('q', 'stream');
    inVirtualTime((at) => {
      broker.send('q', ['a', 'b', 'c']);
      const one = read(broker, { prefetch: 2, arguments: { 'x-stream-offset': 2 } });
      at(5, () => one.consumer.ack(2, true));
      at(10, () => {
        expect(offsets(one)).toEqual([0, 1, 2]);
        broker.trim('q', 2);
        const two = read(broker, { arguments: { 'x-stream-offset': 'first' } });
        at(5, () => expect(offsets(two)).toEqual([2]));
      });
    });
  });
});

describe('MemoryAmqp, its publishers', () => {
  function publisher(broker: MemoryAmqp, exchanges: readonly string[] = []) {
    const reported: string[] = [];
    const own = { reported, publisher: undefined as AmqpPublisher | undefined };
    broker
      .open(exchanges, { writable: (is) => reported.push(is ? 'open' : 'blocked'), logEvent: () => undefined })
      .subscribe({
        next: (one) => {
          own.publisher = one;
        },
        error: ({ code }: { code: string }) => reported.push(code),
        complete: () => reported.push('complete'),
      });
    const publish = (routingKey: string) =>
      own.publisher?.publish({ exchange: '', routingKey, properties: {}, content: Buffer.from('x') }, (error) =>
        reported.push(error === null ? 'ok' : ((error as { code?: string }).code ?? '')),
      );
    return { reported, publish, close: () => from(own.publisher?.close() ?? []).subscribe() };
  }

  it('confirms, returns, rejects, and never says', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    inVirtualTime((at) => {
      const one = publisher(broker);
      at(5, () => {
        one.publish('q');
        one.publish('nowhere');
      });
      at(10, () => {
        expect(one.reported.splice(0)).toEqual(['ok', 'RXF_AMQP_UNROUTABLE']);
        broker.answers.push('rejected', 'silence');
        one.publish('q');
        one.publish('q');
      });
      at(20, () => {
        expect([one.reported.splice(0), broker.ready('q').length]).toEqual([['RXF_AMQP_REJECTED'], 2]);
        broker.cut();
      });
      at(21, () => expect(one.reported).toEqual(['RXF_AMQP_LOST', 'RXF_AMQP_UNCONFIRMED']));
    });
  });

  it('waits while it is blocked, closes once all is settled, and rejects a missing exchange', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q');
    inVirtualTime((at) => {
      const [one, two] = [publisher(broker), publisher(broker, ['none'])];
      at(5, () => {
        broker.block();
        one.publish('q');
        one.close();
      });
      at(50, () => {
        expect([one.reported, two.reported, broker.ready('q')]).toEqual([['blocked'], ['RXF_AMQP_MISSING'], []]);
        broker.unblock();
      });
      at(60, () => expect(one.reported).toEqual(['blocked', 'open', 'ok', 'complete']));
    });
  });

  it('nacks what a full queue rejects', () => {
    const broker = new MemoryAmqp();
    broker.createQueue('q', 'classic', { 'x-max-length': 1, 'x-overflow': 'reject-publish' });
    expect([broker.publish('', 'q', '1'), broker.publish('', 'q', '2')]).toEqual([true, false]);
  });
});
