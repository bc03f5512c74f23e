import { describe, it } from '@jest/globals';
import { fileSystemContract } from '../../../src/testing/contracts/file-system-contract.js';
import { FakeCluster } from '../webhdfs/fake-cluster.js';
import { driver } from './setting.js';

describe('file system contract: webhdfs-package against a fake cluster', () => {
  it.each(fileSystemContract)('$name', async ({ run }) => {
    await run({ fs: driver(await FakeCluster.start()), root: '/lake' });
  });
});
