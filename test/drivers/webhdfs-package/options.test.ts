import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type WebHdfsPackageOptions, webhdfsPackage } from '../../../src/drivers/webhdfs-package/index.js';
import { FakeCluster } from '../webhdfs/fake-cluster.js';
import { put } from '../webhdfs/setting.js';
import { driver } from './setting.js';

describe('webhdfs-package options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['client', { client: undefined }],
    ['client.host', { client: { host: '' } }],
    ['client.port', { client: { host: 'nn', port: 'nn' } }],
    ['client.port', { client: { host: 'nn', port: 70_000 } }],
    ['client.path', { client: { host: 'nn', path: 'webhdfs' } }],
    ['client.user', { client: { host: 'nn', user: '' } }],
    ['client.protocol', { client: { host: 'nn', protocol: 'hdfs' } }],
    ['requestParams', { requestParams: 'secret' }],
    ['replication', { replication: 0 }],
    ['blockSizeBytes', { blockSizeBytes: 1.5 }],
    ['permission', { permission: '999' }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['idleTimeoutMs', { idleTimeoutMs: Number.NaN }],
    ['retry.maxAttempts', { retry: { maxAttempts: 0 } }],
    ['retry', { retry: { tries: 1 } }],
    ['maxResponseBytes', { maxResponseBytes: 10 }],
    ['webhdfsPackage options', { nameNodes: ['http://nn'] }],
  ])('rejects a wrong %s at the call', (name, wrong) => {
    const options = { client: { host: 'nn' }, ...wrong } as unknown as WebHdfsPackageOptions;
    expect(() => webhdfsPackage(options)).toThrow(expect.objectContaining({ code: 'RXF_OPTION_INVALID' }));
    expect(() => webhdfsPackage(options)).toThrow(`Expected \`${name}\` to `);
  });

  it('sends what was asked for, and never overwrites', async () => {
    const cluster = await FakeCluster.start();
    await put(driver(cluster, { replication: 2, blockSizeBytes: 1024, permission: '640' }), '/lake/a', 'a');
    await put(driver(cluster), '/lake/b', 'b');
    const [first, second] = ['/lake/a', '/lake/b'].map(
      (path) => cluster.queries[cluster.calls.indexOf(`0 CREATE ${path}`)],
    );
    expect(Object.fromEntries(first!)).toEqual({
      op: 'create',
      overwrite: 'false',
      replication: '2',
      blocksize: '1024',
      permission: '640',
      'user.name': 'flume',
    });
    expect(Object.fromEntries(second!)).toMatchObject({ overwrite: 'false', permission: '0755' });
  });

  it('passes the second argument of createClient on, and tells none of it', async () => {
    const cluster = await FakeCluster.start();
    const fs = driver(cluster, { requestParams: { headers: { 'x-gateway': 's3cret' } } });
    await put(fs, '/lake/a', 'a');
    expect(cluster.headers[0]).toMatchObject({ 'x-gateway': 's3cret' });
    expect(fs.name).toMatch(/^webhdfs-package http:\/\/127\.0\.0\.1:\d+$/);
    expect(inspect(fs, { depth: 9, showHidden: true })).not.toContain('s3cret');
  });
});
