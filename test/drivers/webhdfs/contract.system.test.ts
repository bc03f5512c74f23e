import { describe, it } from '@jest/globals';
import { fileSystemContract } from '../../../src/testing/contracts/file-system-contract.js';
import { FakeCluster } from './fake-cluster.js';
import { driver } from './setting.js';

describe.each(['webhdfs', 'httpfs'] as const)('file system contract: %s against a fake cluster', (mode) => {
  it.each(fileSystemContract)('$name', async ({ run }) => {
    await run({ fs: driver(await FakeCluster.start(), { mode }), root: '/lake' });
  });
});
