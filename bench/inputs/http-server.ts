// A server of HTTP for the bench: `rxflume`, a flow from httpSource into a null sink, or `bare`, node:http that reads each body and answers 200.
// It says its port, then for each line of its input the CPU seconds that it has used; it ends with its input.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { nodeHttpServer } from '../../src/drivers/node/index.js';
import { flow, nullSink } from '../../src/index.js';
import { httpSource } from '../../src/inputs/index.js';

function rxflume(port: number): void {
  const server = nodeHttpServer({ port });
  flow('http-bench', httpSource(server, { name: 'bench' }), nullSink().write()).subscribe();
}

function bare(port: number): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const answer = `{"accepted":${body.length > 0 ? 1 : 0}}`;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  server.listen(port, '127.0.0.1');
}

/** A port that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const port = await freePort();
if (process.argv[2] === 'bare') bare(port);
else rxflume(port);
console.log(port);
createInterface({ input: process.stdin })
  .on('line', () => {
    const { user, system } = process.cpuUsage();
    console.log((user + system) / 1e6);
  })
  .on('close', () => process.exit());
