import { describe, expect, it } from '@jest/globals';
import { type Location, sharedName } from '../../src/core/location.js';

const location = (names: readonly string[] | RegExp, addresses = ['k1:9092'], kind = 'Kafka topic'): Location => ({
  kind,
  addresses,
  names,
});

describe('sharedName', () => {
  it.each<[string, Location, Location, string | undefined]>([
    ['names that are in both', location(['a', 'b']), location(['b']), 'b'],
    ['names that are not', location(['a']), location(['b']), undefined],
    ['a pattern that is read', location(/^b/g), location(['ab', 'ba']), 'ba'],
    ['a pattern that is written to', location(['ab', 'ba']), location(/^b/), 'ba'],
    ['two patterns, of which nobody knows', location(/^b/), location(/^b/), undefined],
    ['one address in common', location(['a'], ['k1:9092', 'k2:9092']), location(['a'], ['k3:9092', 'k2:9092']), 'a'],
    ['another system', location(['a']), location(['a'], ['k9:9092']), undefined],
    ['another kind', location(['a']), location(['a'], ['k1:9092'], 'RabbitMQ queue'), undefined],
  ])('of %s', (_, read, written, shared) => {
    expect([sharedName(read, written), sharedName(read, written)]).toEqual([shared, shared]);
  });
});
