import { afterAll, describe, expect, it } from '@jest/globals';
import { firstValueFrom, from } from 'rxjs';
import { webhdfs } from '../../src/drivers/webhdfs/index.js';
import { webhdfsPackage } from '../../src/drivers/webhdfs-package/index.js';
import { fileSystemContract } from '../../src/testing/contracts/file-system-contract.js';

const nameNode = process.env.RXFLUME_HDFS_URL ?? 'http://127.0.0.1:19870';
const root = `/lake/contract-${process.pid}-${Date.now().toString(36)}`;
const fs = webhdfs({ nameNodes: ['http://127.0.0.1:9', nameNode], user: 'flume', retry: { firstDelayMs: 50 } });

afterAll(() => firstValueFrom(from(fs.remove(root))));

describe('file system contract: real HDFS, behind a NameNode that is down', () => {
  it.each(fileSystemContract)('$name', ({ run }) => run({ fs, root }), 60_000);
});

describe('file system contract: real HDFS, through the package webhdfs', () => {
  const { hostname, port } = new URL(nameNode);
  const shim = webhdfsPackage({ client: { host: hostname, port, user: 'flume' } });
  it.each(fileSystemContract)('$name', ({ run }) => run({ fs: shim, root }), 60_000);

  it('says who lacks access to what', async () => {
    const error = await firstValueFrom(from(shim.create('/forbidden/a').close())).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({ code: 'RXF_FILES_DENIED', message: expect.stringContaining('user=flume') });
  });
});

describe('webhdfs on real HDFS', () => {
  const bytes = new Uint8Array(1024 * 1024);
  const rejection = async (work: () => unknown) => {
    try {
      await work();
    } catch (error) {
      return error as { code: string; message: string };
    }
    throw new Error('it was not refused');
  };

  it('says who lacks access to what, where the parent folder is closed', async () => {
    const error = await rejection(() => firstValueFrom(from(fs.create('/forbidden/a').write(bytes))));
    expect(error.code).toBe('RXF_FILES_DENIED');
    expect(error.message).toContain('user=flume');
    expect(error.message).not.toMatch(/\tat |org\.apache/);
    expect(await rejection(() => firstValueFrom(from(fs.rename(`${root}/x`, '/forbidden/x'))))).toHaveProperty(
      'code',
      'RXF_FILES_DENIED',
    );
  });

  it('says so too where only the DataNode can know it, however much of the body was under way', async () => {
    await firstValueFrom(from(fs.create(`${root}/sealed/first`).close()));
    const permit = (permission: string) =>
      fetch(`${nameNode}/webhdfs/v1${root}/sealed?op=SETPERMISSION&permission=${permission}&user.name=flume`, {
        method: 'PUT',
      });
    await permit('555');
    for (let attempt = 0; attempt < 20; attempt++) {
      const error = await rejection(async () => {
        const writer = fs.create(`${root}/sealed/second`);
        for (let n = 0; n < 64; n++) await firstValueFrom(from(writer.write(bytes)));
        await firstValueFrom(from(writer.close()));
      });
      expect([error.code, error.message]).toEqual(['RXF_FILES_DENIED', expect.stringContaining('user=flume')]);
    }
    await permit('755');
  }, 60_000);

  it('a file given up half way is short, and never answered as closed', async () => {
    const path = `${root}/half`;
    const writer = fs.create(path);
    for (let n = 0; n < 8; n++) await firstValueFrom(from(writer.write(bytes)));
    writer.abort();
    expect(await rejection(() => firstValueFrom(from(writer.close())))).toHaveProperty('code', 'RXF_FILES_ABORTED');
    const status = await firstValueFrom(from(fs.status(path)));
    expect(status?.bytes ?? 0).toBeLessThanOrEqual(8 * bytes.length);
  });

  it('a block smaller than HDFS takes is rejected with its reason', async () => {
    const small = webhdfs({ nameNodes: [nameNode], user: 'flume', blockSizeBytes: 512 });
    const error = await rejection(() => firstValueFrom(from(small.create(`${root}/small-block`).close())));
    expect(error.message).toMatch(/block size/i);
  });
});
