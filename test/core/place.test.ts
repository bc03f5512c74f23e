import { describe, expect, it } from '@jest/globals';
import { type Place, sharedName } from '../../src/core/place.js';

const place = (names: readonly string[] | RegExp, addresses = ['k1:9092'], kind = 'Kafka topic'): Place => ({
  kind,
  addresses,
  names,
});

describe('sharedName', () => {
  it.each<[string, Place, Place, string | undefined]>([
    ['names that are in both', place(['a', 'b']), place(['b']), 'b'],
    ['names that are not', place(['a']), place(['b']), undefined],
    ['a pattern that is read', place(/^b/g), place(['ab', 'ba']), 'ba'],
    ['a pattern that is written to', place(['ab', 'ba']), place(/^b/), 'ba'],
    ['two patterns, of which nobody knows', place(/^b/), place(/^b/), undefined],
    ['one address in common', place(['a'], ['k1:9092', 'k2:9092']), place(['a'], ['k3:9092', 'k2:9092']), 'a'],
    ['another system', place(['a']), place(['a'], ['k9:9092']), undefined],
    ['another kind', place(['a']), place(['a'], ['k1:9092'], 'RabbitMQ queue'), undefined],
  ])('of %s', (_, read, written, shared) => {
    expect([sharedName(read, written), sharedName(read, written)]).toEqual([shared, shared]);
  });
});
