import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { fileSystemContract } from '../../src/testing/contracts/file-system-contract.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';

const folder = mkdtempSync(join(tmpdir(), 'rxflume-disk-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['memory', { fs: memoryFileSystem(), root: '/lake' }],
  [
    'memory that takes its time',
    { fs: memoryFileSystem({ latencyMs: (verb) => (verb === 'write' ? 0 : 1) }), root: '/lake' },
  ],
  ['local disk', { fs: localDisk({ root: folder }), root: '/lake' }],
  ['local disk from /, without fsync', { fs: localDisk({ fsync: 'never' }), root: join(folder, 'plain') }],
])('file system contract: %s', (_, subject) => {
  // A path as deep as the disk takes is two thousand folders, each of whose names is synced.
  it.each(fileSystemContract)('$name', ({ run }) => run(subject), 30_000);
});
