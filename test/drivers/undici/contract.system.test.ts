import { afterEach, describe, it } from '@jest/globals';
import { undici } from '../../../src/drivers/undici/index.js';
import { httpContract } from '../../../src/testing/contracts/http-contract.js';
import { certificate } from '../avro-rpc/certificate.js';
import { ScriptedServer } from './scripted-server.js';

const servers: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

describe.each([
  ['plain', undefined, {}],
  ['TLS', certificate, { ca: certificate.cert }],
])('undici keeps the contract: %s', (_, tls, trust) => {
  it.each(httpContract)('$name', async ({ run }) => {
    const server = await new ScriptedServer(tls).listen();
    servers.push(server);
    const { origin } = server;
    await run({
      client: undici({ maxResponseBytes: 64 * 1024, tls: trust }),
      origin,
      seen: server.seen,
      script: (answer) => {
        server.answer = answer;
      },
      waiting: () => server.waiting,
      stop: async () => {
        servers.splice(servers.indexOf(server), 1);
        await server.stop();
      },
    });
  });
});
