import { describe, expect, it } from '@jest/globals';
import { type WebHdfsOptions, webhdfs } from '../../../src/drivers/webhdfs/index.js';

describe('webhdfs options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['nameNodes', { nameNodes: [] }],
    ['nameNodes', { nameNodes: 'http://nn' }],
    ['nameNodes[1]', { nameNodes: ['http://nn', 'nn:9870'] }],
    ['nameNodes[0]', { nameNodes: ['hdfs://nn:8020'] }],
    ['user', { user: '' }],
    ['delegationToken', { delegationToken: '' }],
    ['mode', { mode: 'rpc' }],
    ["hostMap['dn1']", { hostMap: { dn1: 'http://x' } }],
    ['replication', { replication: 0 }],
    ['blockSizeBytes', { blockSizeBytes: 1.5 }],
    ['permission', { permission: '999' }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['connectTimeoutMs', { connectTimeoutMs: -1 }],
    ['idleTimeoutMs', { idleTimeoutMs: Number.NaN }],
    ['retry.maxAttempts', { retry: { maxAttempts: 0 } }],
    ['retry', { retry: { tries: 1 } }],
    ['safeModeTimeoutMs', { safeModeTimeoutMs: '1s' }],
    ['maxResponseBytes', { maxResponseBytes: 10 }],
    ['webhdfs options', { nameNode: 'http://nn' }],
  ])('rejects a wrong %s at the call', (name, wrong) => {
    const options = { nameNodes: ['http://nn'], ...wrong } as unknown as WebHdfsOptions;
    expect(() => webhdfs(options)).toThrow(expect.objectContaining({ code: 'RXF_OPTION_INVALID' }));
    expect(() => webhdfs(options)).toThrow(`Expected \`${name}\` to `);
  });
});
