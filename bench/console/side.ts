// Passes a number of records on request, beside a console, and answers with the CPU seconds that took: with a page open and a tap on the edge
// behind the first operator, or without.
import { defaultMonitor } from 'rxflume';
import { consoleApp } from 'rxflume/console';
import { pass } from '../guard/path.js';

const app = consoleApp();
const headers = { host: 'localhost', authorization: `Bearer ${app.clientToken}`, 'content-type': 'application/json' };
const sent = { snapshots: 0, values: 0 };

process.on('message', ({ records, isOpen }: { records: number; isOpen: boolean }) => {
  turn(records, isOpen).then(
    (answer) => process.send?.(answer),
    () => process.exit(1),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function turn(records: number, isOpen: boolean) {
  Object.assign(sent, { snapshots: 0, values: 0 });
  const before = process.cpuUsage();
  const passing = pass(records, defaultMonitor);
  const close = isOpen ? await openPage() : undefined;
  await passing;
  await close?.();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, ...sent };
}

/** What a page does whose tap is begun. Returns what closes it. */
async function openPage(): Promise<() => Promise<void>> {
  const { id } = (await (await ask('taps', { flow: 'guard', edge: 1 })).json()) as { id: string };
  const reader = ((await ask(`stream?tap=${id}`)).body as ReadableStream<Uint8Array>).getReader();
  const reading = read(reader);
  return async () => {
    await reader.cancel();
    await reading;
  };
}

/** As a socket that is never full. */
async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const head = Buffer.from(value.buffer, value.byteOffset, Math.min(16, value.length)).toString('latin1');
    if (head === 'event: snapshot\n') sent.snapshots += 1;
    if (head.startsWith('event: tap\n')) sent.values += 1;
  }
}

function ask(path: string, body?: object): Promise<Response> {
  const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return app.fetch(new Request(`http://localhost/api/${path}`, { headers, ...post }));
}
