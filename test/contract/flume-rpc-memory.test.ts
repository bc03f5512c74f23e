import { describe, it } from '@jest/globals';
import { flumeRpcContract } from '../../src/testing/contracts/flume-rpc-contract.js';
import { MemoryFlume } from '../../src/testing/memory/memory-flume.js';

describe('Flume RPC in memory keeps the contract', () => {
  it.each(flumeRpcContract)('$name', async ({ run }) => {
    const flume = new MemoryFlume();
    await run({ server: flume.server(), client: () => flume });
  });
});
