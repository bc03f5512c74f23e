import { describe, expect, it } from '@jest/globals';
import { FakeCluster, remote } from './fake-cluster.js';
import { driver, failure, once } from './setting.js';

const OURS = Buffer.from('ours');
const THEIRS = Buffer.from('theirs');

async function withFiles(files: Record<string, Buffer>): Promise<FakeCluster> {
  const cluster = await FakeCluster.start();
  cluster.folders.add('/lake');
  for (const [path, content] of Object.entries(files)) cluster.files.set(path, content);
  return cluster;
}

describe.each(['webhdfs', 'httpfs'] as const)('rename through %s', (mode) => {
  it('believes no HTTP 200 before it has looked why nothing was moved', async () => {
    const no = { status: 200, body: '{"boolean":false}' };
    const taken = await withFiles({ '/lake/a': OURS, '/lake/b': THEIRS });
    taken.next('RENAME', no);
    expect(await once(driver(taken, { mode }).rename('/lake/a', '/lake/b'))).toBe('exists');

    const gone = await withFiles({});
    gone.next('RENAME', no);
    expect(await once(driver(gone, { mode }).rename('/lake/a', '/lake/b'))).toBe('missing');

    const odd = await withFiles({ '/lake/a': OURS });
    odd.next('RENAME', no, no);
    const error = await failure(once(driver(odd, { mode }).rename('/lake/a', '/lake/b')));
    expect(error).toMatchObject({ code: 'RXF_FILES_REMOTE' });
    expect(error.message).toContain('it answered false');
  });

  it('was done where the answer is lost, also when the retry finds nothing to move', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    cluster.next('RENAME', 'lose');
    expect(await once(driver(cluster, { mode }).rename('/lake/a', '/lake/b'))).toBe('renamed');
    expect(cluster.files).toEqual(new Map([['/lake/b', OURS]]));
    expect(cluster.count('RENAME')).toBe(2);
  });

  it('was done where the answer is lost, also when the retry says that the target exists', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    const { status, body } = remote('FileAlreadyExistsException', 'rename destination /lake/b already exists');
    cluster.next('RENAME', 'lose', { status, body: String(body) });
    expect(await once(driver(cluster, { mode }).rename('/lake/a', '/lake/b'))).toBe('renamed');
  });

  it('was done where every answer is lost', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    cluster.next('RENAME', 'lose', 'drop', 'drop');
    const fs = driver(cluster, { mode, retry: { maxAttempts: 1, firstDelayMs: 1 } });
    expect(await once(fs.rename('/lake/a', '/lake/b'))).toBe('renamed');
  });

  it('was done where the answer came too late', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    cluster.next('RENAME', 'hang');
    expect(await once(driver(cluster, { mode, requestTimeoutMs: 60 }).rename('/lake/a', '/lake/b'))).toBe('renamed');
  });

  it('is tried again where the request was lost', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    cluster.next('RENAME', 'drop');
    expect(await once(driver(cluster, { mode }).rename('/lake/a', '/lake/b'))).toBe('renamed');
  });

  it('is an error where nothing answers and nothing was moved', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    cluster.next('RENAME', ...Array.from({ length: 12 }, () => 'drop' as const));
    const fs = driver(cluster, { mode });
    expect(await failure(once(fs.rename('/lake/a', '/lake/b')))).toMatchObject({
      code: 'RXF_FILES_UNREACHABLE',
      retryable: true,
    });
    expect(cluster.files).toEqual(new Map([['/lake/a', OURS]]));
  });

  it('with an answer lost, a target that was there before is another’s: our source still exists', async () => {
    const cluster = await withFiles({ '/lake/a': OURS, '/lake/b': THEIRS });
    cluster.next('RENAME', 'lose');
    expect(await once(driver(cluster, { mode }).rename('/lake/a', '/lake/b'))).toBe('exists');
    expect(cluster.files).toEqual(
      new Map([
        ['/lake/a', OURS],
        ['/lake/b', THEIRS],
      ]),
    );
  });

  it.each([0, 1, 2, 3, 4, 5])(
    'moves a file once, and says so, where a request that lost its answer is carried out after %i looks',
    async (doneAfterLooks) => {
      for (const maxAttempts of [1, 3]) {
        const cluster = await withFiles({ '/lake/a': OURS });
        cluster.next('RENAME', { doneAfterLooks });
        const fs = driver(cluster, { mode, retry: { maxAttempts, firstDelayMs: 1 } });
        expect(await once(fs.rename('/lake/a', '/lake/b'))).toBe('renamed');
        expect(cluster.files).toEqual(new Map([['/lake/b', OURS]]));
      }
    },
  );

  it.each([1, 2, 3, 4])(
    'where every request is carried out late, after %i looks, the end is a move or an error that may pass, and never a lie',
    async (doneAfterLooks) => {
      const cluster = await withFiles({ '/lake/a': OURS });
      cluster.next('RENAME', { doneAfterLooks }, { doneAfterLooks });
      const fs = driver(cluster, { mode, retry: { maxAttempts: 1, firstDelayMs: 1 } });
      const came = await once(fs.rename('/lake/a', '/lake/b')).catch((error: unknown) => error);
      if (came !== 'renamed') expect(came).toMatchObject({ retryable: true, details: { doubted: true } });
      // Asked again, it says that it moved the file, or that there is none to move: the look at the target tells.
      expect(['renamed', 'missing']).toContain(await once(fs.rename('/lake/a', '/lake/b')));
      expect(await once(fs.status('/lake/b'))).toMatchObject({ kind: 'file', bytes: OURS.length });
      expect(cluster.files).toEqual(new Map([['/lake/b', OURS]]));
    },
  );

  it.each([0, 1, 2, 3, 4])(
    'with an answer lost, a target of another is never taken for ours (%i looks)',
    async (doneAfterLooks) => {
      const cluster = await withFiles({ '/lake/a': OURS, '/lake/b': THEIRS });
      cluster.next('RENAME', { doneAfterLooks });
      expect(await once(driver(cluster, { mode }).rename('/lake/a', '/lake/b'))).toBe('exists');
      expect(cluster.files.get('/lake/b')).toEqual(THEIRS);
    },
  );

  it('makes the target folder once, and again when somebody removed it', async () => {
    const cluster = await withFiles({ '/lake/a': OURS, '/lake/b': OURS, '/lake/c': OURS });
    const fs = driver(cluster, { mode });
    expect(await once(fs.rename('/lake/a', '/lake/d/a'))).toBe('renamed');
    expect(await once(fs.rename('/lake/b', '/lake/d/b'))).toBe('renamed');
    expect(cluster.count('MKDIRS')).toBe(1);
    for (const path of ['/lake/d/a', '/lake/d/b']) cluster.files.delete(path);
    cluster.folders.delete('/lake/d');
    expect(await once(fs.rename('/lake/c', '/lake/d/c'))).toBe('renamed');
    expect(cluster.count('MKDIRS')).toBe(2);
  });

  it('says where a folder cannot be made', async () => {
    const cluster = await withFiles({ '/lake/a': OURS, '/lake/file': OURS });
    const fs = driver(cluster, { mode });
    expect(await failure(once(fs.rename('/lake/a', '/lake/file/x')))).toMatchObject({ code: 'RXF_FILES_EXISTS' });
    cluster.next('MKDIRS', { status: 200, body: '{"boolean":false}' });
    expect(await failure(once(fs.rename('/lake/a', '/lake/no/x')))).toMatchObject({ code: 'RXF_FILES_REMOTE' });
  });

  it('says what was rejected', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    const { status, body } = remote(
      'NSQuotaExceededException',
      'The NameSpace quota (directories and files) is exceeded',
    );
    cluster.next('RENAME', { status, body: String(body) });
    expect(await failure(once(driver(cluster, { mode }).rename('/lake/a', '/lake/b')))).toMatchObject({
      code: 'RXF_FILES_FULL',
    });
  });
});

describe('remove', () => {
  it('was done where the answer is lost, though the retry finds nothing', async () => {
    const cluster = await withFiles({ '/lake/a': OURS });
    cluster.next('DELETE', 'lose');
    expect(await once(driver(cluster).remove('/lake/a'))).toBe(true);
    expect(await once(driver(cluster).remove('/lake/a'))).toBe(false);
  });
});
