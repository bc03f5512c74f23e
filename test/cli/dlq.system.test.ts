import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { commandOf, readArguments } from '../../src/cli/arguments.js';
import type { CommandContext } from '../../src/cli/command.js';
import { letter } from '../dead-letters/letters.js';
import { root } from '../docs/markdown.js';
import { fitting } from './json-schema.js';

const FLOW = `${root}test/dead-letters/flow-of-chat.ts`;
let folder: string;
const children = new Set<ChildProcess>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxflume-dlq-test-'));
  mkdirSync(join(folder, 'bad'));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function put(name: string, letters: readonly object[]): void {
  writeFileSync(join(folder, 'bad', name), letters.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `rxflume dlq`; killed after so many milliseconds, where they are given. */
function dlq(args: readonly string[], env: NodeJS.ProcessEnv = {}, killAfterMs?: number): Promise<Ended> {
  const command = ['--import', 'tsx', `${root}src/cli/main.ts`, 'dlq', ...args];
  const child = spawn(process.execPath, command, { env: { ...process.env, CHAT_ROOT: folder, ...env }, cwd: root });
  children.add(child);
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => (out += String(data)));
  child.stderr.on('data', (data) => (err += String(data)));
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((resolve) =>
    child.on('close', (code) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ code, out, err });
    }),
  );
}

/** The same in this process, for what loads no flow. */
async function here(args: readonly string[]): Promise<Ended> {
  let [out, err] = ['', ''];
  const { verb, ...asked } = readArguments(['dlq', ...args]);
  const code = await commandOf(verb).run(asked, {
    out: { write: (text: string) => (out += text) } as unknown as CommandContext['out'],
    err: { write: (text: string) => (err += text) } as unknown as CommandContext['err'],
    ...{ env: {}, cwd: root, log: () => undefined as never },
  });
  return { code, out, err };
}

const bad = () => join(folder, 'bad');

function idsIn(name = 'lake'): number[] {
  const lake = join(folder, name);
  if (!existsSync(lake)) return [];
  return readdirSync(lake)
    .filter((file) => !file.startsWith('_'))
    .flatMap((file) => readFileSync(join(lake, file), 'utf8').split('\n').filter(Boolean))
    .map((line) => Number((JSON.parse(line) as { id: number }).id))
    .sort((a, b) => a - b);
}

function json(kind: 'list' | 'show' | 'preview' | 'replay' | 'drop', { out }: Ended): Record<string, unknown> {
  return fitting(`dlq-${kind}`, out);
}

jest.setTimeout(180_000);

describe('rxflume dlq', () => {
  it('lists by cause, shows one, previews, replays once, and drops', async () => {
    const secret = { value: '{"id":2,"password":"hunter2"}' };
    put('a.jsonl', [letter(0), letter(1), letter(2, { ...secret, code: 'RXF_SINK_TIME' }), { no: 'letter' }]);
    const listed = json('list', await here(['list', bad(), '--json']));
    expect(listed).toMatchObject({
      counts: { waiting: 3 },
      groups: [{ code: 'RXF_DECODE_SHAPE', counts: { waiting: 2 } }, { code: 'RXF_SINK_TIME' }],
      unreadable: { count: 1, examples: [{ place: 'a.jsonl#4' }] },
    });
    const shown = await here(['show', bad(), 'a.jsonl#3', '--json', '--redact', 'password']);
    expect(json('show', shown)).toMatchObject({ letter: { value: '{"id":2,"password":"***"}' } });
    const env = { CHAT_REJECTED: '1' };
    const tried = await dlq(['replay', bad(), FLOW, '--dry-run', '--json'], env);
    expect(json('preview', tried)).toMatchObject({ outcomes: { stored: 2, 'set aside': 1 } });
    expect([tried.code, idsIn()]).toEqual([3, []]);
    const dropped = await here(['drop', bad(), '--code', 'RXF_SINK_TIME']);
    expect([dropped.code, dropped.err]).toEqual([2, expect.stringContaining('1 dead letters')]);
    expect(json('drop', await here(['drop', bad(), '--code', 'RXF_SINK_TIME', '--yes', '--json']))).toEqual({
      dropped: 1,
    });
    const replayed = await dlq(['replay', bad(), FLOW, '--json'], env);
    expect(json('replay', replayed)).toMatchObject({ replayed: 2, setAside: 1, guarantee: 'exactly-once' });
    expect([replayed.code, idsIn()]).toEqual([3, [0]]);
    const corrected = await dlq(['replay', bad(), FLOW]);
    expect([corrected.code, corrected.out]).toEqual([
      0,
      expect.stringContaining('Replayed 1 dead letters through chat, exactly once'),
    ]);
    const second = await dlq(['replay', bad(), FLOW]);
    expect([second.code, second.out, idsIn()]).toEqual([0, expect.stringContaining('Replayed 0'), [0, 1]]);
    const all = await here(['list', bad()]);
    expect(all.out).toContain('3 replayed, 1 dropped');
  });

  it('takes the store that a file exports, and says what else a file exports', async () => {
    put('a.jsonl', [letter(0)]);
    const file = join(root, 'test/cli', `.store-${process.pid}.ts`);
    const text = (store: string) =>
      `import { deadLetterFolder } from 'rxflume/dead-letters';\nimport { localDisk } from 'rxflume/drivers/local-disk';\nexport default ${store};\n`;
    try {
      writeFileSync(file, text(`deadLetterFolder(localDisk(), { root: ${JSON.stringify(bad())} })`));
      expect(json('list', await dlq(['list', file, '--json']))).toMatchObject({ counts: { waiting: 1 } });
      writeFileSync(file, text('localDisk()'));
      const wrong = await dlq(['list', file]);
      expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/RXF_FLOW_FILE: .* to be a store such as /)]);
    } finally {
      rmSync(file);
    }
    const queue = await here(['list', 'amqp://127.0.0.1:1/shop']);
    expect([queue.code, queue.err]).toEqual([2, expect.stringContaining('rxflume dlq take amqp://127.0.0.1:1/shop')]);
    const secret = await here(['take', 'amqp://u:s3cret@127.0.0.1:1', bad(), '--queue', 'q']);
    expect([secret.code, secret.err]).toEqual([2, expect.stringContaining('RXFLUME_AMQP_PASSWORD')]);
    expect(secret.err).not.toContain('s3cret');
    const away = await here(['take', 'amqp://127.0.0.1:1', bad(), '--queue', 'q']);
    expect([away.code, away.err]).toEqual([1, expect.stringContaining('RXF_AMQP_UNREACHABLE')]);
  });

  it('replays what was edited, and says where the file is that cannot be replayed', async () => {
    put('a.jsonl', [letter(0, { value: '{"id":' }), letter(1)]);
    const editor = join(folder, 'edit.sh');
    const script = (edit: string) => {
      writeFileSync(editor, `#!/bin/sh\nnode -e '${edit}' "$1"\n`);
      chmodSync(editor, 0o755);
    };
    const change = (code: string) =>
      `const fs = require("fs"), file = process.argv[1], all = JSON.parse(fs.readFileSync(file)); ${code}; fs.writeFileSync(file, JSON.stringify(all))`;
    script(change('all[0].offset = 7'));
    const wrong = await dlq(['replay', bad(), FLOW, '--edit'], { EDITOR: editor });
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('`offset` was changed')]);
    script(change('all[0].value = JSON.stringify({ id: 5 }); all.pop()'));
    const right = await dlq(['replay', bad(), FLOW, '--edit'], { EDITOR: editor });
    expect([right.code, idsIn()]).toEqual([0, [5]]);
    script('');
    const same = await dlq(['replay', bad(), FLOW, '--edit'], { EDITOR: editor });
    expect([same.code, same.out, idsIn()]).toEqual([0, expect.stringContaining('Nothing was changed'), [5]]);
  });

  it('stores each record once, whenever it is killed', async () => {
    const count = 400;
    put(
      'a.jsonl',
      Array.from({ length: count }, (_, id) => letter(id)),
    );
    const rejected = [7, 250, 399];
    const env = { CHAT_REJECTED: rejected.join(','), CHAT_SLOW_MS: '2' };
    let kills = 0;
    for (let turn = 0; turn < 6; turn += 1) {
      const { code } = await dlq(['replay', bad(), FLOW], env, 900 + Math.random() * 900);
      if (code === null) kills += 1;
    }
    for (let turn = 0; turn < 2; turn += 1) expect((await dlq(['replay', bad(), FLOW])).err).toBe('');
    expect(kills).toBeGreaterThan(0);
    expect(idsIn()).toEqual(Array.from({ length: count }, (_, id) => id));
    expect((await dlq(['replay', bad(), FLOW])).out).toContain('Replayed 0');
  });
});
