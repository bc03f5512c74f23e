import { describe, it } from '@jest/globals';
import type { AvroRpcClientOptions } from '../../../src/drivers/avro-rpc/index.js';
import { avroRpcClient, avroRpcServer } from '../../../src/drivers/avro-rpc/index.js';
import { flumeRpcContract } from '../../../src/testing/contracts/flume-rpc-contract.js';
import { certificate } from './certificate.js';

type Wire = Pick<AvroRpcClientOptions, 'compression' | 'deflateOrder'> & { readonly tls: boolean };

const WIRES: readonly (readonly [string, Wire])[] = [
  ['plain', { tls: false }],
  ['deflate', { tls: false, compression: 'deflate' }],
  ['TLS', { tls: true }],
  ['TLS, deflate outside', { tls: true, compression: 'deflate' }],
  ['TLS, deflate inside', { tls: true, compression: 'deflate', deflateOrder: 'inside-tls' }],
];

describe.each(WIRES)('Avro RPC keeps the contract: %s', (_, { tls, ...wire }) => {
  it.each(flumeRpcContract)('$name', async ({ run }) => {
    await run({
      server: avroRpcServer({ ...wire, port: 0, host: '127.0.0.1', ...(tls && { tls: certificate }) }),
      client: ({ address }) => {
        const trust = { ca: certificate.cert, servername: 'agent.test' };
        return avroRpcClient({ ...wire, agents: [address], tls: tls ? trust : false });
      },
    });
  });
});
