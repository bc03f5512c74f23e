import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(30_000);

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rxflume-first-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(): Promise<Record<string, unknown>[]> {
  const command = ['--import', `${root}node_modules/tsx/dist/loader.mjs`, `${root}src/cli/main.ts`, 'run'];
  const flow = `${root}examples/first-run/embedded.ts`;
  const { stdout } = await promisify(execFile)(process.execPath, [...command, flow, '--until-idle', '500'], {
    cwd: folder,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      FIRST_RUN_RATE: '0',
      FIRST_RUN_PORT: '0',
      TSX_TSCONFIG_PATH: `${root}tsconfig.json`,
    },
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function files(): string[] {
  return readdirSync(join(folder, 'warehouse'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(gz|jsonl)$/.test(name),
  );
}

describe('the first run', () => {
  it('lands the shipped messages by day and language, sets the bad ones aside, and goes on at the second run', async () => {
    const first = await start();
    expect(first.at(-1)).toMatchObject({ what: 'summary', outcome: 'drained', records: 4_000, acked: 4_000 });
    expect(first.find(({ what }) => what === 'look')?.message).toContain(join(folder, 'warehouse'));

    const landed = files().filter((name) => name.startsWith('dt='));
    const values = landed.flatMap((name) =>
      gunzipSync(readFileSync(join(folder, 'warehouse', name)))
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: string; at: string; lang: string }),
    );
    const shipped = readFileSync(join(root, 'examples/data/chat.jsonl'), 'utf8').split('\n');
    const customers = shipped.filter((line) => line.includes('"from":"customer"')).length;
    expect(values.length).toBeGreaterThan(customers - 6);
    expect(new Set(values.map(({ id }) => id)).size).toBe(values.length);
    for (const name of landed)
      expect(name).toMatch(/^dt=2026-03-0[234]\/lang=(en|zh|de|es|fr|ja)\/kafka\+support-chat~0\+/);

    const [letters = ''] = files().filter((name) => name.startsWith('dead-letters'));
    expect(
      readFileSync(join(folder, 'warehouse', letters), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(5);

    const second = await start();
    expect(second.at(-1)).toMatchObject({ outcome: 'drained', records: 0, files: 0 });
  });
});
