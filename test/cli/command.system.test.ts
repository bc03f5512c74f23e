import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { type Outcome, root, rxflume } from './child.js';
import { fitting } from './json-schema.js';

jest.setTimeout(30_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A flow over an embedded log of three messages; the test's name keeps their folders apart. */
function flowFile(
  name: string,
  changes: { record?: string; path?: string; sink?: string; resumeFrom?: string } = {},
): string {
  const { record = '{"n":3}', path = "() => 'good'", sink = 'lake.write()', resumeFrom = 'undefined' } = changes;
  const file = join(root, 'test/cli', `.flow-${process.pid}-${name}.ts`);
  writeFileSync(
    file,
    `import { writeFileSync } from 'node:fs';
import { fileSink, flow, json, jsonLines, kafkaSource } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { localDisk } from 'rxflume/drivers/local-disk';
import { decode, mapValue } from 'rxflume/operators';
import { NEVER } from 'rxjs';
import { mergeMap } from 'rxjs';

const folder = ${JSON.stringify(join(folder, name))};
const log = embeddedLog({ folder: folder + '/log', topics: ['chat'] });
if ((await log.recordCount('chat')) === 0) await log.append('chat', ['{"n":1}', '{"n":2}', ${JSON.stringify(record)}]);
const lake = fileSink<any>(localDisk(), { root: folder + '/lake', path: ${path}, format: jsonLines() });
const noted = (value: any) => {
  if (value.n === 3) writeFileSync(folder + '/all-read', '');
  return value;
};
const stuck = (deliveries: any) => deliveries.pipe(mergeMap(() => NEVER));
void stuck;
export default flow('${name}', kafkaSource(log, { topics: ['chat'], groupId: 'g', resumeFrom: ${resumeFrom} }), decode(json()), mapValue(noted), ${sink});
`,
  );
  return file;
}

/** Acts once the flow of that name has read its three messages. */
function onceRead(name: string, act: () => void): void {
  const looking = setInterval(() => {
    if (!existsSync(join(folder, name, 'all-read'))) return;
    clearInterval(looking);
    act();
  }, 20);
}

afterAll(() => {
  for (const name of readdirSync(join(root, 'test/cli'))) {
    if (name.startsWith(`.flow-${process.pid}`)) rmSync(join(root, 'test/cli', name));
  }
});

function lines({ stdout }: Outcome): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => fitting('run', line));
}

describe('rxflume', () => {
  it('prints its help and its version, exit 0', async () => {
    const help = await rxflume(['--help']);
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('Usage: rxflume run <file>')]);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect((await rxflume(['--version'])).stdout).toBe(`${version}\n`);
  });

  it.each([
    [['run', 'a.ts', '--fast'], "'--fast'"],
    [['run', 'no-such-file.ts'], 'RXF_FLOW_FILE: There is no file no-such-file.ts'],
    [['check', 'no-such-file.ts'], 'RXF_FLOW_FILE: There is no file no-such-file.ts'],
  ])('says what is wrong with %j, exit 2', async (args, message) => {
    const { code, stderr, stdout } = await rxflume(args);
    expect([code, stderr, stdout]).toEqual([2, expect.stringContaining(message), '']);
  });

  it.each([
    ['throws', "throw new Error('no config');", 'threw while it was loaded: no config'],
    ['exports-nothing', 'export const x = 1;', 'is not a flow but undefined (exports: x)'],
    ['exports-number', 'export default 5;', 'is not a flow but 5'],
    ['syntax', 'export default (;', 'threw while it was loaded'],
    [
      'wrong-option',
      "import { kafkaSource } from 'rxflume'; kafkaSource({} as never, { topics: ['a'], groupId: 'g', commit: { count: 0 } });",
      'RXF_OPTION_INVALID: Expected `commit.count` to be a whole number >= 1, got `0` (number).',
    ],
  ])('says what is wrong with a flow file that %s, exit 2', async (name, code, message) => {
    const file = join(root, 'test/cli', `.flow-${process.pid}-${name}.ts`);
    writeFileSync(file, code);
    const outcome = await rxflume(['run', file]);
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(outcome.stderr).not.toContain('    at ');
  });

  it('runs until idle, exit 0, and a second run goes on where the first ended', async () => {
    const file = flowFile('idle');
    const first = await rxflume(['run', file, '--until-idle', '1000']);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(lines(first)[0]).toMatchObject({
      what: 'started',
      message: expect.stringMatching(
        /^Running idle, at least once: kafkaSource resumes from the committed offsets.*\.$/,
      ),
      guarantee: 'at-least-once',
    });
    expect(lines(first).at(-1)).toMatchObject({
      what: 'summary',
      flow: 'idle',
      outcome: 'drained',
      records: 3,
      files: 1,
    });
    const second = await rxflume(['run', file, '--until-idle', '1000']);
    expect(lines(second).at(-1)).toMatchObject({ outcome: 'drained', records: 0, files: 0 });
    const [name = ''] = readdirSync(join(folder, 'idle/lake/good'));
    expect(readFileSync(join(folder, 'idle/lake/good', name), 'utf8')).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('drains on %s, exit 0', async (signal) => {
    const file = flowFile(signal.toLowerCase());
    let isSent = false;
    const outcome = await rxflume(['run', file], (stdout, kill) => {
      if (isSent || !stdout.includes('kafka.assigned')) return;
      isSent = true;
      onceRead(signal.toLowerCase(), () => kill(signal));
    });
    expect(outcome.code).toBe(0);
    expect(lines(outcome).at(-1)).toMatchObject({ outcome: 'drained', records: 3, acked: 3, files: 1 });
  });

  it('abandons on a second signal, exit 1, and says that what was not committed is redelivered', async () => {
    const file = flowFile('second-signal', { sink: 'stuck' });
    let sent = 0;
    const outcome = await rxflume(['run', file], (stdout, kill) => {
      if (sent === 0 && stdout.includes('kafka.assigned')) {
        sent = 1;
        onceRead('second-signal', () => kill('SIGTERM'));
      } else if (sent === 1 && stdout.includes('Draining')) {
        sent = 2;
        // At once it is the same signal, passed on by npm to a group that has it already; later it is a second one.
        kill('SIGTERM');
        setTimeout(() => kill('SIGTERM'), 700);
      }
    });
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toContain('redelivered at the next start');
    expect(lines(outcome).at(-1)?.seconds).toBeGreaterThan(0.5);
    expect(lines(outcome).at(-1)).toMatchObject({ outcome: 'abandoned' });
  });

  it('abandons a drain that takes longer than --drain-timeout, exit 1', async () => {
    const file = flowFile('slow-drain', { sink: 'stuck' });
    const outcome = await rxflume(['run', file, '--until-idle', '1000', '--drain-timeout', '200']);
    expect([outcome.code, outcome.stdout]).toEqual([1, expect.stringContaining('the drain took longer than 200 ms')]);
  });

  it('stops at a record that is not JSON, exit 1, with the code, the position and the next step', async () => {
    const file = flowFile('bad-record', { record: '{"n":' });
    const outcome = await rxflume(['run', file]);
    expect(outcome.code).toBe(1);
    const error = lines(outcome).find(({ level }) => level === 'error');
    expect(error).toMatchObject({ what: 'RXF_SOURCE_NACKED', details: { stream: 'kafka:chat/0', offset: 2 } });
    expect(error?.message).toMatch(/Not JSON: .* pass `decode` a `deadLetter` sink/);
    const again = await rxflume(['run', file]);
    expect(lines(again).at(-1)).toMatchObject({ outcome: 'failed', records: 1 });
  });

  it('rejects a bucket that leaves the root, exit 1, and stores nothing outside', async () => {
    const file = flowFile('escape', { path: "(value) => (value.n === 2 ? '../../outside' : 'good')" });
    const outcome = await rxflume(['run', file]);
    expect([outcome.code, outcome.stdout]).toEqual([1, expect.stringContaining('RXF_SOURCE_NACKED')]);
    expect(outcome.stdout).toContain('../../outside');
    expect(readdirSync(join(folder, 'escape')).sort()).toEqual(['lake', 'log']);
  });

  it('checks all flows of several files: what they hand over, and a circle, exit 1', async () => {
    const file = join(root, 'test/cli', `.flow-${process.pid}-several.ts`);
    const text = (back: string) => `import { flow, kafkaSink, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
const k = kafkajs({ brokers: ['k1:9092'] });
const link = (name: string, from: string, to: string) =>
  flow(name, kafkaSource(k, { topics: [from], groupId: name }), kafkaSink<any>(k, { topic: to }).write());
export default link('one', 'a', 'b');
export const two = link('two', 'b', '${back}');
`;
    writeFileSync(file, text('c'));
    const well = await rxflume(['check', file, flowFile('checked-too')]);
    expect([well.code, well.stderr]).toEqual([0, '']);
    expect(well.stdout).toMatch(
      /^one: .*\ntwo: .*\nchecked-too: .*\nconnections:\n {2}one ─▶ two {2}Kafka topic b at k1:9092\n$/s,
    );
    writeFileSync(file, text('a'));
    const circle = await rxflume(['check', file, '--json']);
    expect([circle.code, fitting('check', circle.stdout)]).toEqual([
      1,
      expect.objectContaining({ circles: [['one', 'two']], errors: [], exitCode: 1 }),
    ]);
  });

  it('checks a flow without running it, exit 0: its name, what it guarantees, and why', async () => {
    const { code, stdout, stderr } = await rxflume(['check', flowFile('checked', { resumeFrom: 'lake.offsetStore' })]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      'checked: exactly once\n' +
        `  - kafkaSource can be read again, and resumes from the ledger of the sink the flow ends in (local disk / ${join(folder, 'checked/lake')})\n` +
        '  - dead letters, where `decode` sets any aside, are at least once\n',
    );
    expect(readdirSync(join(folder, 'checked'))).toEqual(['log']);
    const lesser = await rxflume(['check', flowFile('checked-lesser', { sink: 'stuck' })]);
    expect([lesser.code, lesser.stdout]).toEqual([
      0,
      expect.stringMatching(/^checked-lesser: at least once\n {2}- the sink keeps no ledger.*\n$/),
    ]);
  });
});
