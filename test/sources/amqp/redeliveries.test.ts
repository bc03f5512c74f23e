import { describe, expect, it } from '@jest/globals';
import type { AmqpMessage } from '../../../src/ports/amqp-consumer.js';
import { Redeliveries } from '../../../src/sources/amqp/redeliveries.js';

const message = (content: string, more: Partial<AmqpMessage> = {}): AmqpMessage => ({
  deliveryTag: 1,
  isRedelivered: true,
  exchange: 'e',
  routingKey: 'k',
  properties: {},
  content: Buffer.from(content),
  ...more,
});

/** The message comes on a new channel with sequence number 0, and is nacked. */
function nack(redeliveries: Redeliveries, one: AmqpMessage): number {
  redeliveries.begin();
  redeliveries.arrived(0, one);
  return redeliveries.nack(0).attempt;
}

describe('Redeliveries', () => {
  it('counts the nacks of a message over channels', () => {
    const redeliveries = new Redeliveries();
    expect(nack(redeliveries, message('a', { isRedelivered: false }))).toBe(1);
    expect([nack(redeliveries, message('a')), nack(redeliveries, message('a'))]).toEqual([2, 3]);
  });

  it.each<[string, AmqpMessage]>([
    ['content', message('b')],
    ['content of the same length and letters', message('ab')],
    ['routing key', message('ba', { routingKey: 'other' })],
    ['exchange', message('ba', { exchange: 'other' })],
    ['message id', message('ba', { properties: { messageId: 'm' } })],
  ])('tells apart by %s', (_, other) => {
    const redeliveries = new Redeliveries();
    nack(redeliveries, message('ba'));
    expect([nack(redeliveries, other), nack(redeliveries, message('ba'))]).toEqual([2, 3]);
  });

  it('tells apart long contents by both ends', () => {
    const redeliveries = new Redeliveries();
    const [first, last] = [`1${'x'.repeat(200_000)}0`, `0${'x'.repeat(200_000)}1`];
    nack(redeliveries, message(first));
    expect([nack(redeliveries, message(last)), nack(redeliveries, message(first))]).toEqual([2, 3]);
  });

  it('counts anew after an ack', () => {
    const redeliveries = new Redeliveries();
    nack(redeliveries, message('a'));
    redeliveries.begin();
    redeliveries.arrived(4, message('a'));
    redeliveries.acked(0, 4);
    expect(redeliveries.nack(4).attempt).toBe(3);
    redeliveries.arrived(5, message('a'));
    redeliveries.acked(4, 6);
    expect(nack(redeliveries, message('a'))).toBe(2);
  });

  it('knows how often a quorum queue got it back', () => {
    const redeliveries = new Redeliveries();
    redeliveries.arrived(0, message('a', { properties: { headers: { 'x-delivery-count': 7 } } }));
    redeliveries.arrived(1, message('b'));
    expect([redeliveries.nack(0).returns, redeliveries.nack(1).returns, redeliveries.nack(2).returns]).toEqual([
      7, 0, 0,
    ]);
  });

  it('remembers 10,000, and forgets the one nacked longest ago', () => {
    const redeliveries = new Redeliveries();
    nack(redeliveries, message('first'));
    nack(redeliveries, message('second'));
    nack(redeliveries, message('first'));
    for (let n = 0; n < 9_999; n += 1) nack(redeliveries, message(`v${n}`));
    expect(nack(redeliveries, message('first'))).toBe(4);
    expect(nack(redeliveries, message('second'))).toBe(2);
  });
});
