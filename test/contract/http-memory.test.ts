import { describe, it } from '@jest/globals';
import { httpContract } from '../../src/testing/contracts/http-contract.js';
import { MemoryHttp } from '../../src/testing/memory/memory-http.js';

describe('HTTP in memory keeps the contract', () => {
  it.each(httpContract)('$name', async ({ run }) => {
    const http = new MemoryHttp({ maxResponseBytes: 64 * 1024 });
    await run({
      client: http,
      origin: 'http://memory',
      seen: http.seen,
      script: (answer) => {
        http.answer = answer;
      },
      waiting: () => http.inFlight,
      stop: async () => {
        http.isUp = false;
      },
    });
  });
});
