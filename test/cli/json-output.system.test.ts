import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { first, lastValueFrom, timer } from 'rxjs';
import { decode, drainOn } from '../../operators/index.js';
import { commandOf, readArguments } from '../../src/cli/arguments.js';
import type { CommandContext } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { Monitor } from '../../src/core/monitor.js';
import { embeddedLog } from '../../src/drivers/embedded-log/index.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { fileSink, flow, json, jsonLines, kafkaSource } from '../../src/index.js';
import { root, rxflume } from './child.js';
import { fitting, SCHEMA_FOLDER } from './json-schema.js';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(root, 'test/cli/.json-'));
const data = mkdtempSync(join(tmpdir(), 'rxflume-json-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** Runs a command in this process. */
async function printed(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const { verb, ...asked } = readArguments(args);
  const code = await commandOf(verb).run(asked, {
    out: { write: (text: string) => (out += text) } as unknown as CommandContext['out'],
    err: { write: (text: string) => (err += text) } as unknown as CommandContext['err'],
    ...{ env: {}, cwd: data, log: () => undefined as never },
  });
  return { code, out, err };
}

const CONNECTED = `import { flow, kafkaSink, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
const k = kafkajs({ brokers: ['k1:9092'] });
const link = (name: string, from: string, to: string) =>
  flow(name, kafkaSource(k, { topics: [from], groupId: name }), kafkaSink<any>(k, { topic: to }).write());
export default link('one', 'a', 'b');
export const two = link('two', 'b', 'a');
`;

const RULES = `import { builtInAlerts, surge } from 'rxflume/alerts';
const anger = surge({
  name: 'Anger', key: (value: any) => value.product, of: (value: any) => value.bad,
  timestamp: (value: any) => value.at, falseAlarms: { count: 1, perMs: 86_400_000 }, sample: (value: any) => value.text ?? '',
});
export const rules = [...builtInAlerts(), anger];
const of = (state: string) => ({ flows: [{ flow: 'chat', sources: [], operators: [], sinks: [], deadLetters: {}, state }], logEvents: [] });
export const cases = [
  { name: 'stops', everyMs: 1_000, observed: 'rffr', values: { r: of('running'), f: of('failed') }, expected: { FlowStopped: '--f' } },
];
`;

describe('what --json prints fits its schema', () => {
  it('of check, well and not; without --json it has no colours off a terminal', async () => {
    const connected = file('connected.ts', CONNECTED);
    const broken = file('broken.ts', "throw new Error('no config');");
    // Colours, if there were any, would be in what it says of the broken one.
    process.env.FORCE_COLOR = '1';
    const text = await rxflume(['check', connected, broken]);
    delete process.env.FORCE_COLOR;
    expect(text.stdout + text.stderr).toMatch(/one: at least once.*no config/s);
    expect(text.stdout + text.stderr).not.toContain('\u001b');
    const { code, stdout } = await rxflume(['check', connected, broken, '--json']);
    const checked = fitting('check', stdout);
    expect([code, checked.exitCode]).toEqual([2, 2]);
    expect(checked).toMatchObject({ errors: [{ file: broken }], flows: [{ flow: 'one' }, { flow: 'two' }] });
  });

  it('of alerts test and alerts backtest', async () => {
    const rules = file('rules.ts', RULES);
    const test = await rxflume(['alerts', 'test', rules, '--json']);
    expect([test.code, fitting('alerts-test', test.stdout)]).toMatchObject([1, { failed: 1 }]);
    const line = (n: number, bad: boolean) =>
      JSON.stringify({ product: 'tea', bad, at: Date.UTC(2026, 0, 5) + n * 10_000, text: 'late' });
    const values = Array.from({ length: 4_400 }, (_, n) => line(n, n < 4_000 ? n % 10 === 0 : n % 2 === 0));
    mkdirSync(join(data, 'past'));
    writeFileSync(join(data, 'past/a.jsonl'), `${values.join('\n')}\nno JSON\n`);
    const back = await rxflume(['alerts', 'backtest', rules, '--from', join(data, 'past'), '--json']);
    expect([back.code, fitting('alerts-backtest', back.stdout)]).toMatchObject([
      0,
      { values: 4_400, unreadable: 1, events: [{ state: 'firing' }] },
    ]);
  });

  it('of ledger, verified and with a problem', async () => {
    const monitor = new Monitor();
    const log = embeddedLog({ folder: join(data, 'log'), topics: ['chat'] });
    await log.append('chat', ['{"n":1}', '{"n":2}']);
    const lake = fileSink<unknown>(localDisk({ fsync: 'never' }), { root: join(data, 'lake'), format: jsonLines() });
    const source = kafkaSource(log, { topics: ['chat'], groupId: 'g', resumeFrom: lake.offsetStore, monitor });
    const areRead$ = timer(0, 20).pipe(first(() => monitor.total('rxflume_source_records_total') === 2));
    await lastValueFrom(flow('lands', source, decode(json()), lake.write()).pipe(drainOn(areRead$)));
    const well = await printed('ledger', join(data, 'lake'), '--json');
    expect([well.code, fitting('ledger', well.out)]).toMatchObject([0, { verified: true, streams: [{ values: 2 }] }]);
    const [stored = ''] = readdirSync(join(data, 'lake')).filter((name) => name.endsWith('.jsonl'));
    rmSync(join(data, 'lake', stored));
    const bad = await printed('ledger', join(data, 'lake'), '--json');
    expect([bad.code, fitting('ledger', bad.out)]).toMatchObject([
      1,
      { verified: false, streams: [{ problems: [{ kind: 'missing' }] }] },
    ]);
  });

  it('of migrate, init and schema pull', async () => {
    const migrated = await printed('migrate', `${root}test/cli/agents/mistakes.conf`, '--json');
    expect(fitting('migrate', migrated.out)).toMatchObject({ flows: expect.any(Array) });
    const made = await printed('init', join(data, 'made'), '--yes', '--json');
    expect([made.code, fitting('init', made.out)]).toMatchObject([0, { name: 'made', source: 'kafka', sink: 'hdfs' }]);
    // Nothing can be asked: what asks would be in the way of a program.
    expect((await printed('init', join(data, 'unmade'), '--json')).code).toBe(2);
    const server = createServer((_, answer) =>
      answer.end('{"subject":"s","version":3,"id":7,"schema":"\\"string\\""}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const pulled = await printed('schema', 'pull', url, 's', '--json');
    server.close();
    expect([pulled.code, fitting('schema-pull', pulled.out)]).toMatchObject([0, { id: 7, schema: { type: 'AVRO' } }]);
  });
});

it('has a schema for each command, and none of what there is not', () => {
  const commands = COMMANDS.map(({ name }) => name);
  const schemas = readdirSync(SCHEMA_FOLDER).map((name) => name.split(/[-.]/, 1)[0] as string);
  expect([...new Set(schemas)].sort()).toEqual([...commands].sort());
  // These print JSON where their output is no terminal, without being asked.
  const without = COMMANDS.filter(({ options }) => !Object.hasOwn(options, 'json')).map(({ name }) => name);
  expect(without).toEqual(['run', 'backfill']);
});
