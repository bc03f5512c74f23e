import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { lastValueFrom, of } from 'rxjs';
import { type AlertEvent, notify, webhookReceiver } from '../../src/alerts/index.js';
import { Monitor } from '../../src/core/monitor.js';
import { root, rxflume } from '../cli/child.js';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(root, 'test/alerts/.files-'));
const lake = mkdtempSync(join(tmpdir(), 'rxflume-backtest-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(lake, { recursive: true, force: true });
});

async function withServer<T>(listener: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('a webhook over a socket', () => {
  const fired: AlertEvent = {
    state: 'firing',
    isFiring: true,
    labels: { alertname: 'Old' },
    annotations: {},
    at: 0,
    startsAt: 0,
  };

  it.each<[string, RequestListener, string, RegExp]>([
    ['accepts', (_, response) => response.end('ok'), 'sent', /^$/],
    ['answers 500', (_, response) => response.writeHead(500).end('busy'), 'failed', /answered 500 \(busy\)/],
    [
      'redirects',
      (request, response) => response.writeHead(request.url === '/hook' ? 307 : 200, { location: '/other' }).end(),
      'failed',
      /answered 307\. Redirects are not followed/,
    ],
    ['hangs', () => undefined, 'failed', /did not answer within 300 ms/],
    ['closes', (request) => request.socket.destroy(), 'failed', /connection ended before the answer was whole/],
    [
      'answers without end',
      (_, response) => {
        const writing = setInterval(() => response.write('x'.repeat(1_000)), 1);
        response.on('close', () => clearInterval(writing));
      },
      'sent',
      /^$/,
    ],
  ])('that %s', async (_, listener, result, logged) => {
    const monitor = new Monitor();
    const messages: string[] = [];
    monitor.logEvents$.subscribe(({ message }) => messages.push(message));
    await withServer(listener, async (url) => {
      const hook = webhookReceiver({ url: `${url}/hook`, requestTimeoutMs: 300 });
      const retry = { maxAttempts: 2, firstDelayMs: 10 };
      const last = await lastValueFrom(of(fired).pipe(notify({ receivers: [hook], retry, monitor })));
      expect(last.result).toBe(result);
    });
    expect(messages[0] ?? '').toMatch(logged);
  });
});

describe('rxflume alerts', () => {
  const RULES = `import { alertWhen, builtInAlerts, surge } from 'rxflume/alerts';
export const anger = surge({
  name: 'Anger', key: (value: any) => value.product, of: (value: any) => value.bad,
  timestamp: (value: any) => value.at, falseAlarms: { count: 1, perMs: 86_400_000 }, sample: (value: any) => value.text ?? '',
});
export const rules = [...builtInAlerts(), anger];
const flow = { flow: 'chat', sources: [], operators: [], sinks: [], deadLetters: {} };
const of = (state: string) => ({ flows: [{ ...flow, state }], logEvents: [] });
export const cases = [
  { name: 'says that the flow has failed', everyMs: 1_000, observed: 'rffr', values: { r: of('running'), f: of('failed') },
    expected: { FlowStopped: ROW } },
];
`;

  it('test: exit 0 as expected, 1 with the rows that differ, 2 for a file without rules', async () => {
    const good = await rxflume(['alerts', 'test', file('good.ts', RULES.replace('ROW', "'-f-r'"))]);
    expect(good).toEqual({ code: 0, stdout: 'ok     says that the flow has failed\n1 tests, 0 failed.\n', stderr: '' });
    const bad = await rxflume(['alerts', 'test', file('bad.ts', RULES.replace('ROW', "'--f'"))]);
    expect([bad.code, bad.stdout]).toEqual([
      1,
      'FAILED says that the flow has failed\n  FlowStopped\n    expected --f\n    actual   -f-r\n1 tests, 1 failed.\n',
    ]);
    const none = await rxflume(['alerts', 'test', file('none.ts', 'export const rules = 7;\n')]);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringMatching(/RXF_FLOW_FILE: Expected `rules` of .*none\.ts to be a list of rules/),
    ]);
  });

  it('backtest: says when a surge would have fired, in the time of the values', async () => {
    const day = Date.UTC(2026, 0, 5);
    const line = (n: number, bad: boolean) =>
      `${JSON.stringify({ product: 'tea', bad, at: day + n * 10_000, text: 'late' })}\n`;
    const usual = Array.from({ length: 4_000 }, (_, n) => line(n, n % 10 === 0));
    const surge = Array.from({ length: 400 }, (_, n) => line(4_000 + n, n % 2 === 0));
    mkdirSync(join(lake, 'day=1'));
    mkdirSync(join(lake, '_rxflume'));
    // The later ones are read first.
    writeFileSync(join(lake, 'a.jsonl.gz'), gzipSync(surge.join('')));
    writeFileSync(join(lake, 'day=1', 'b.jsonl'), `${usual.join('')}no JSON\n`);
    writeFileSync(join(lake, '_rxflume', 'c.jsonl'), line(1e9, true));
    const rules = file('rules.ts', RULES.replace('ROW', "''"));
    const { code, stdout, stderr } = await rxflume(['alerts', 'backtest', rules, '--from', lake]);
    expect(stderr).toBe('');
    const [first, summary] = stdout.trim().split('\n');
    expect(first).toMatch(
      /^2026-01-05T11:\d\d:\d\d\.000Z firing Anger tea: \d\d\.\d % \(.* to .*\), usually 10\.\d %\.$/,
    );
    expect(summary).toMatch(/^4400 values from 2026-01-0.* to .*: 1 alerts\. 1 lines are no JSON and were left out\.$/);
    expect(code).toBe(0);
    const nowhere = await rxflume(['alerts', 'backtest', rules, '--from', join(lake, 'nowhere')]);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringMatching(/Nothing exists at/)]);
  });

  it('run --alerts: a flow that fails is reported before the command ends, and one that runs is not', async () => {
    const bodies: string[] = [];
    const listener: RequestListener = (request, response) => {
      request.on('data', (bytes: Buffer) => bodies.push(bytes.toString()));
      request.on('end', () => response.end());
    };
    await withServer(listener, async (url) => {
      const flow = file(
        'flow.ts',
        `import { flow, kafkaSource, nullSink } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { transmit } from 'rxflume/operators';
const log = embeddedLog({ folder: ${JSON.stringify(join(lake, 'log'))}, topics: ['chat'] });
await log.append('chat', ['1']);
void nullSink;
export default flow('failing', kafkaSource(log, { topics: ['chat'], groupId: 'g' }), transmit(async () => { throw new TypeError('no'); }));
`,
      );
      const rules = file(
        'watch.ts',
        `import { builtInAlerts, logReceiver, webhookReceiver } from 'rxflume/alerts';
export const rules = builtInAlerts();
export const receivers = [logReceiver(), webhookReceiver({ url: '${url}/hook' })];
`,
      );
      const { code, stdout } = await rxflume(['run', flow, '--alerts', rules]);
      expect(code).toBe(1);
      expect(bodies.join('')).toMatch(/"alertname":"FlowStopped","?/);
      expect(stdout).toMatch(/Alert FlowStopped: failing has ended with an error\./);
      const wrong = await rxflume(['run', flow, '--alerts', join(folder, 'missing.ts')]);
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/There is no file/)]);
    });
  });
});
