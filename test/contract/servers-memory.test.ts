import { describe, it } from '@jest/globals';
import { firstValueFrom, from, takeUntil } from 'rxjs';
import { httpServerContract } from '../../src/testing/contracts/http-server-contract.js';
import { socketServerContract } from '../../src/testing/contracts/socket-server-contract.js';
import { MemoryHttpServer } from '../../src/testing/memory/memory-http-server.js';
import { MemorySockets } from '../../src/testing/memory/memory-sockets.js';

describe('HTTP in memory keeps the contract', () => {
  it.each(httpServerContract)('$name', async ({ run }) => {
    const server = new MemoryHttpServer();
    await run({
      server,
      send: (_, request, leave = new Promise(() => undefined)) =>
        firstValueFrom(server.send(request).pipe(takeUntil(from(leave)))),
    });
  });
});

describe('sockets in memory keep the contract', () => {
  it.each(socketServerContract)('$name', async ({ run }) => {
    const server = new MemorySockets();
    await run({ server, connect: () => Promise.resolve(server.connect()) });
  });
});
