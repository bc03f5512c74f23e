import { describe, expect, it } from '@jest/globals';
import {
  produceRequest,
  STABLE_OFFSETS_VERSION,
  stableOffsetsRequest,
} from '../../../../src/drivers/kafkajs/producer/producer-requests.js';
import { openInternals } from '../../../../src/drivers/kafkajs/vendor/patches.js';

const internals = openInternals({ recordDecoder: 'lean', checkCrc: false, maxBatchBytes: 1 << 20 });

describe('the request to produce', () => {
  it('is of version 8, whose answer names the records at fault', async () => {
    const request = produceRequest(internals, () => 11, null, 1_000, []);
    expect(request.request.apiVersion).toBe(8);
    const answer = Buffer.from(
      '00000001' + // topics
        '000174' +
        '00000002' + // partitions
        '00000001' +
        '0057' +
        'ff'.repeat(24) +
        '00000002' + // records at fault
        '00000003' +
        '00026e6f' +
        '00000005' +
        'ffff' +
        '0003616c6c' +
        '00000000' +
        '0000' +
        '00'.repeat(24) +
        '00000000' +
        'ffff' +
        '00000000',
      'hex',
    );
    expect(await request.response.decode(answer)).toEqual([
      {
        topic: 't',
        partition: 1,
        errorCode: 87,
        rejected: [
          { index: 3, reason: 'no' },
          { index: 5, reason: '' },
        ],
        reason: 'all',
      },
      { topic: 't', partition: 0, errorCode: 0, rejected: [], reason: '' },
    ]);
  });

  it('is read from brokers that name none', async () => {
    const request = produceRequest(internals, () => 7, null, 1_000, []);
    const answer = Buffer.from(`00000001${'000174'}00000001${'00000000'}0057${'00'.repeat(24)}00000000`, 'hex');
    expect(await request.response.decode(answer)).toEqual([
      { topic: 't', partition: 0, errorCode: 87, rejected: [], reason: '' },
    ]);
  });
});

describe('the request for settled offsets', () => {
  it('is that of KIP-447, and its answer is read', async () => {
    const request = stableOffsetsRequest(internals, 'g', [{ topic: 'in', partitions: [1] }]);
    const { buffer } = (await request.request.encode()) as { buffer: Buffer };
    expect([request.request.apiVersion, buffer.toString('hex')]).toEqual([
      STABLE_OFFSETS_VERSION,
      '0002670203696e020000000100' + '0100',
    ]);
    const answer = Buffer.from(
      '00' +
        '00000000' +
        '02' +
        '03696e' +
        '02' +
        '00000001' +
        '000000000000002a' +
        'ffffffff' +
        '00' +
        '0058' +
        '00' +
        '00' +
        '0000' +
        '00',
      'hex',
    );
    expect(await request.response.decode(answer)).toEqual({
      errorCode: 0,
      offsets: [{ topic: 'in', partition: 1, offset: 42, errorCode: 88 }],
    });
    await expect(request.response.decode(answer.subarray(0, 12))).rejects.toThrow(/out of range/);
  });
});
