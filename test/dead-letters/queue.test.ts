import { describe, expect, it } from '@jest/globals';
import { DEAD_LETTER_QUEUE_DEFAULTS, deadLetterQueue } from '../../src/dead-letters/index.js';
import { identityOf } from '../../src/dead-letters/letter.js';
import type { DeadLetter } from '../../src/delivery/dead-letter.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { AmqpProperties } from '../../src/ports/amqp-consumer.js';
import { MemoryAmqp } from '../../src/testing/memory/memory-amqp.js';
import { inVirtualTime } from '../support/virtual-time.js';
import { letter } from './letters.js';

const death = { queue: 'chat', reason: 'rejected', count: 3, exchange: 'in', 'routing-keys': ['room.7'] };
const DEAD: AmqpProperties = {
  timestamp: Date.UTC(2026, 2, 2),
  headers: {
    lang: 'de',
    'x-death': [{ ...death, time: new Date(1_000) }],
    'x-first-death-queue': 'chat',
    'x-delivery-count': 3,
  },
};

/** What is taken of these messages; all are given back, and taken again, where the connection is cut before their acks. */
function taken(
  messages: readonly { readonly content: string | Uint8Array; readonly properties?: AmqpProperties }[],
  isCut = false,
): DeadLetter[] {
  const broker = new MemoryAmqp();
  broker.createQueue('dead');
  for (const { content, properties } of messages) broker.send('dead', [content], properties);
  const seen: DeadLetter[] = [];
  inVirtualTime((at) => {
    const out: Delivery<DeadLetter>[] = [];
    const running = deadLetterQueue(broker, { queue: 'dead' }).subscribe((delivery) => {
      seen.push(delivery.value);
      out.push(delivery);
    });
    if (isCut) at(10, () => broker.cut());
    at(5_000, () => {
      for (const delivery of out) delivery.ack();
    });
    at(6_000, () => {
      expect([broker.ready('dead'), broker.unacked('dead')]).toEqual([[], 0]);
      running.unsubscribe();
    });
  });
  return seen;
}

describe('deadLetterQueue', () => {
  it('makes a letter of what the broker set aside: with its bytes, key, headers and time, and why', () => {
    const [one, other] = taken([{ content: '{"id":1}', properties: DEAD }, { content: Buffer.from([0xff, 0]) }]);
    expect(one).toEqual({
      version: 1,
      code: 'AMQP_REJECTED',
      message: expect.stringMatching(/^RabbitMQ set it aside 3 times from queue chat: rejected/),
      causes: [],
      stream: 'amqp:chat',
      offset: expect.any(Number),
      part: null,
      timestamp: '2026-03-02T00:00:00.000Z',
      key: 'room.7',
      keyEncoding: 'utf8',
      headers: [{ name: 'lang', value: 'de', encoding: 'utf8' }],
      value: '{"id":1}',
      encoding: 'utf8',
      type: 'bytes',
      attempt: 3,
      setAsideAt: '1970-01-01T00:00:01.000Z',
      flow: null,
      operator: null,
      replayOf: null,
    });
    expect(other).toMatchObject({ code: 'AMQP_UNKNOWN', value: '/wA=', encoding: 'base64', stream: 'amqp:dead' });
    expect(other?.message).toContain('It was in queue dead, without x-death');
  });

  it('leaves a letter as it is, and takes for one only what is', () => {
    const written = letter(7);
    const [one, other] = taken([{ content: JSON.stringify(written) }, { content: '{"setAsideAt":"no"}' }]);
    expect(one).toEqual(written);
    expect(other).toMatchObject({ code: 'AMQP_UNKNOWN', value: '{"setAsideAt":"no"}' });
  });

  it('tells a message that comes twice by its id, and never takes two for one', () => {
    const identities = (messageId: (n: number) => string | undefined) => {
      const messages = [0, 1].map((n) => ({ content: 'same', properties: { ...DEAD, messageId: messageId(n) } }));
      const letters = taken(messages, true);
      expect(letters).toHaveLength(4);
      return new Set(letters.map(identityOf)).size;
    };
    expect(identities((n) => `id-${n}`)).toBe(2);
    expect(identities(() => undefined)).toBe(4);
  });

  it('checks its options at the call', () => {
    const broker = new MemoryAmqp();
    expect(DEAD_LETTER_QUEUE_DEFAULTS.prefetch).toBe(20_000);
    expect(() => deadLetterQueue(broker, { queue: '' })).toThrow('`queue`');
    expect(() => deadLetterQueue(broker, { queue: 'q', prefetch: 0 })).toThrow('`prefetch`');
  });
});
