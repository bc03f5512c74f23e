// The collector of the live tests of what listens: RELP, with and without TLS, and HTTP into numbered lines of a file; the environment says where.
import { appendFileSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { nodeHttpServer, tcpServer } from 'rxflume/drivers/node';
import { httpSource, syslogSource } from 'rxflume/inputs';
import { map, merge } from 'rxjs';

const env = (name: string) => process.env[name] ?? '';
const file = openSync(env('TEST_FILE'), 'a');
const relp$ = syslogSource(tcpServer({ port: Number(env('TEST_RELP_PORT')) }), { name: 'relp', framing: 'relp' });
const tls = () => ({ cert: readFileSync(env('TEST_CERT')), key: readFileSync(env('TEST_KEY')) });
const secure = tcpServer({ port: Number(env('TEST_RELP_TLS_PORT')), tls });
const relpTls$ = syslogSource(secure, { name: 'relp-tls', framing: 'relp' });
const http$ = httpSource(nodeHttpServer({ port: Number(env('TEST_HTTP_PORT')) }), { name: 'http' });

merge(
  merge(relp$, relpTls$).pipe(map((delivery) => ({ text: delivery.value.message.trim(), delivery }))),
  http$.pipe(map((delivery) => ({ text: String(delivery.value), delivery }))),
).subscribe(({ text, delivery }) => {
  appendFileSync(file, `${text}\n`);
  fsyncSync(file);
  delivery.ack();
});
