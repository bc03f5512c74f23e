import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { noteConsole, notedConsoles, runtimeFolder } from '../../src/cli/console/runtime-file.js';
import type { ConsoleSnapshot, TapStarted, TapValue, TapValues, WhyAnswer } from '../../src/console/contract.js';
import { root } from './child.js';
import { fitting } from './json-schema.js';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-console-'));
const env = { ...process.env, NODE_OPTIONS: '', XDG_RUNTIME_DIR: join(folder, 'run') };
mkdirSync(env.XDG_RUNTIME_DIR);
const made: string[] = [];

/** A flow that goes on: ten values a second, of which each is passed on. */
function flowFile(name: string): string {
  const file = join(root, 'test/cli', `.console-${process.pid}-${name}.ts`);
  made.push(file);
  writeFileSync(
    file,
    `import { flow, json, kafkaSource, nullSink } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { decode, mapValue } from 'rxflume/operators';

const log = embeddedLog({ folder: ${JSON.stringify(join(folder, name))}, topics: ['chat'] });
let n = 0;
setInterval(() => void log.append('chat', [JSON.stringify({ n: n++, password: 'hunter2', text: '<script>alert(1)</script>' })]), 100);
export default flow('${name}', kafkaSource(log, { topics: ['chat'], groupId: 'g' }), decode(json<any>()), mapValue((value) => value), nullSink().write());
`,
  );
  return file;
}

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly link: string;
  readonly stderr: () => string;
  readonly stdout: () => string;
}

const running: Running[] = [];
const command = [process.execPath, '--import', 'tsx', `${root}src/cli/main.ts`] as const;

async function started(name: string, ...options: string[]): Promise<Running> {
  const child = spawn(
    command[0],
    [...command.slice(1), 'run', flowFile(name), '--console', '127.0.0.1:0', ...options],
    { cwd: root, env },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    stdout += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  for (;;) {
    const [, link, url] = /open ((http:\/\/[^/]+\/)#token=\S+)/.exec(stderr) ?? [];
    if (link !== undefined && url !== undefined) {
      const one = { child, url, link, stdout: () => stdout, stderr: () => stderr };
      running.push(one);
      return one;
    }
    if (child.exitCode !== null) throw new Error(`It has ended: ${stdout}${stderr}`);
    await sleep(100);
  }
}

async function ended({ child }: Running): Promise<number | null> {
  if (child.exitCode === null) {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  return child.exitCode;
}

/** What a command prints, and its exit code. */
async function rxflume(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command[0], [...command.slice(1), ...args], {
      cwd: root,
      env,
      timeout: 30_000,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

let chat: Running;
let cookie = '';
const get = (path: string) => fetch(chat.url + path, { headers: { cookie } });
const post = (path: string, body: unknown) => {
  const origin = chat.url.slice(0, -1);
  const headers = { cookie, origin, 'content-type': 'application/json' };
  return fetch(chat.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
};

beforeAll(async () => {
  chat = await started('chat', '--console-name', 'first');
});

afterAll(async () => {
  for (const one of running) await ended(one);
  for (const file of made) rmSync(file, { force: true });
  rmSync(folder, { recursive: true, force: true });
});

describe('rxflume run --console', () => {
  it('prints a link that logs in once, which is not in its log', async () => {
    const token = chat.link.split('=')[1];
    expect(chat.stdout()).not.toContain(token);
    const first = await post('api/session', { token });
    expect(first.status).toBe(204);
    cookie = (first.headers.get('set-cookie') ?? '').split(';', 1)[0] as string;
    expect((await post('api/session', { token })).status).toBe(401);
    expect((await fetch(`${chat.url}api/snapshot`)).status).toBe(401);
    const page = await (await get('')).text();
    expect(page).toContain('<!doctype html>');
  });

  it('is called by its own name only', async () => {
    const { port } = new URL(chat.url);
    const foreign = await promisify(execFile)(process.execPath, [
      '-e',
      `require('node:http').get({ port: ${port}, host: '127.0.0.1', path: '/api/snapshot', headers: { host: 'evil.example' } }, (r) => { console.log(r.statusCode); r.resume(); })`,
    ]);
    expect(foreign.stdout.trim()).toBe('403');
  });

  it('streams what runs, as it runs', async () => {
    const controller = new AbortController();
    const response = await fetch(`${chat.url}api/stream`, { headers: { cookie }, signal: controller.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if ((text.match(/^event: snapshot$/gm) ?? []).length >= 3) break;
    }
    controller.abort();
    const json = /^event: snapshot\ndata: (.*)$/m.exec(text)?.[1] as string;
    const { process: name, flows } = JSON.parse(json) as ConsoleSnapshot;
    expect([name, flows.map((flow) => flow.name)]).toEqual(['first', ['chat']]);
    expect(flows[0]?.parts.map((part) => part.name)).toEqual([
      'kafkaSource',
      '1 decode',
      '2 mapValue',
      expect.any(String),
    ]);
    expect(flows[0]?.commands).toContain('drain');
  });

  it('taps values, whose secrets are hidden, as a test that runs', async () => {
    const { id } = (await (await post('api/taps', { flow: 'chat', edge: 1 })).json()) as TapStarted;
    let values: readonly TapValue[] = [];
    while (values.length < 3) {
      await sleep(200);
      ({ values } = (await (await get(`api/taps/${id}`)).json()) as TapValues);
    }
    expect(JSON.parse(values[0]?.text ?? '')).toEqual({
      n: expect.any(Number),
      password: '[redacted]',
      text: '<script>alert(1)</script>',
    });
    expect(values[0]?.redacted).toBe(true);
    const response = await get(`api/taps/${id}/test`);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const file = join(root, 'test/cli', `.console-${process.pid}-tapped.test.ts`);
    made.push(file);
    writeFileSync(file, await response.text());
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--test', '--test-reporter=tap', file],
      { cwd: root, env },
    );
    expect(stdout).toMatch(/^# pass 1$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  it('is on a page of its peers, which have a token of their own', async () => {
    const second = await started(
      'other',
      '--console-name',
      'second',
      '--console-peers',
      chat.url,
      '--console-read-only',
    );
    const noted = notedConsoles(runtimeFolder(env));
    expect(noted.map(({ pid }) => pid).sort()).toEqual([chat.child.pid, second.child.pid].sort());
    const token = noted.find(({ pid }) => pid === second.child.pid)?.token;
    let snapshot: ConsoleSnapshot | undefined;
    for (let at = 0; at < 200 && snapshot?.peers[0]?.ok !== true; at += 1) {
      snapshot = (await (
        await fetch(`${second.url}api/snapshot`, { headers: { authorization: `Bearer ${token}` } })
      ).json()) as ConsoleSnapshot;
      await sleep(100);
    }
    expect([snapshot?.process, snapshot?.readOnly, snapshot?.flows[0]?.commands]).toEqual(['second', true, []]);
    expect(snapshot?.peers).toMatchObject([{ process: 'first', ok: true, flows: [{ name: 'chat' }] }]);
    expect(await ended(second)).toBe(0);
    expect(notedConsoles(runtimeFolder(env)).map(({ pid }) => pid)).toEqual([chat.child.pid]);
  });

  it('shows the processes that it supervises beside the peers of a file', async () => {
    const peers = join(folder, 'peers');
    writeFileSync(peers, `${chat.url} # the first\n`);
    const several = await started('several', '--processes', '1', '--console-peers', peers);
    const token = notedConsoles(runtimeFolder(env)).find(({ pid }) => pid === several.child.pid)?.token;
    const headers = { authorization: `Bearer ${token}` };
    const shown = async () => {
      const { peers: all } = (await (await fetch(`${several.url}api/snapshot`, { headers })).json()) as ConsoleSnapshot;
      return all.filter(({ ok }) => ok).map(({ process: name, flows }) => [name, flows.map((one) => one.name)]);
    };
    // The list of peers is read every 10 s.
    for (let at = 0; at < 300 && (await shown()).length < 2; at += 1) await sleep(100);
    expect(await shown()).toEqual([
      ['first', ['chat']],
      ['several', ['several']],
    ]);
    expect(await ended(several)).toBe(0);
  });
});

describe('the commands that ask a console', () => {
  it('find it in a folder that only the user can read', () => {
    const own = runtimeFolder(env) as string;
    const [file] = readdirSync(own);
    expect([statSync(own).mode & 0o777, statSync(join(own, file as string)).mode & 0o777]).toEqual([0o700, 0o600]);
    // What a process that was killed has left is removed.
    const left = join(own, 'console-999999999.json');
    writeFileSync(left, readFileSync(join(own, file as string), 'utf8').replace(/"pid":\d+/, '"pid":999999999'));
    expect(notedConsoles(own)).toHaveLength(1);
    expect(readdirSync(own)).toHaveLength(1);
    expect(noteConsole(undefined, { url: 'http://a', token: 't', pid: 1 })).toBeUndefined();
  });

  it('top: a snapshot a line, or a table', async () => {
    const json = await rxflume('top', '--once', '--json');
    fitting('top', json.stdout);
    expect(json.code).toBe(0);
    const table = await rxflume('top');
    expect([table.code, table.stdout]).toEqual([
      0,
      expect.stringMatching(/^rxflume top {2}1 processes {2}1 flows\nflow▼ .*\nchat {3}first {4}running /),
    ]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there are to be none.
    expect(table.stdout).not.toMatch(/\u001b/);
  });

  it('tap: values as they pass', async () => {
    const { code, stdout } = await rxflume('tap', 'chat', 'decode', '--count', '2', '--contains', 'script', '--json');
    const values = stdout
      .trim()
      .split('\n')
      .map((line) => fitting('tap', line));
    expect([code, values.length]).toEqual([0, 2]);
    const none = await rxflume('tap', 'chat', 'nowhere');
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining('has no edge `nowhere`. It has 0 from kafkaSource to 1 decode'),
    ]);
    expect((await rxflume('tap', 'none')).stderr).toContain('No console shows flow `none`. They show chat.');
  });

  it('why: where a record is', async () => {
    const { code, stdout } = await rxflume('why', 'kafka:chat/0@0', '--json');
    const answer = fitting<WhyAnswer>('why', stdout);
    expect(answer).toMatchObject({
      stream: 'kafka:chat/0',
      offset: 0,
      state: expect.any(String),
      message: expect.any(String),
    });
    expect(code).toBe(answer.state === 'unknown' ? 1 : 0);
    const other = await rxflume('why', 'kafka:none/0@7');
    expect([other.code, other.stdout]).toEqual([
      1,
      expect.stringContaining('No flow of this process reads kafka:none/0 now'),
    ]);
  });

  it('rewind: shows what would be read again, and does it only with --yes', async () => {
    const shown = await rxflume('rewind', 'chat', '--to', '0');
    expect([shown.code, shown.stdout]).toEqual([
      0,
      expect.stringMatching(/^kafka:chat\/0: from \d+ to 0; \d+ are delivered again$/m),
    ]);
    expect(shown.stdout).toContain('Nothing was changed. Repeat it with --yes to do it.');
    const done = await rxflume('rewind', 'chat', '--to', '0', '--yes', '--json');
    expect(done.stderr).toBe('');
    const { isDone, perStream } = fitting<{ isDone: boolean; perStream: { redelivered: number }[] }>(
      'rewind',
      done.stdout,
    );
    expect([done.code, isDone, perStream.length]).toEqual([0, true, 1]);
    expect(perStream[0]?.redelivered).toBeGreaterThan(0);
    const { flows } = fitting<ConsoleSnapshot>('top', (await rxflume('top', '--once', '--json')).stdout);
    expect(flows.map(({ state }) => state)).toEqual(['running']);
    const none = await rxflume('rewind', 'chat', '--to', '0', '--streams', 'kafka:none/1');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('reads none of kafka:none/1')]);
  });

  it('fail with what to do next where there is no console', async () => {
    const gone = await rxflume('top', '--console', 'http://127.0.0.1:9');
    expect([gone.code, gone.stderr]).toEqual([
      1,
      expect.stringMatching(/^rxflume: RXF_CONSOLE_UNREACHABLE: .*Start the flow with `--console`\.\n$/),
    ]);
  });
});

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

// Skipped only on a machine of a developer without tmux: CI installs it, and fails without it.
(hasTmux || process.env.CI === 'true' ? describe : describe.skip)('rxflume top on a terminal', () => {
  const socket = `rxflume-${process.pid}`;
  const tmux = (...args: string[]) => spawnSync('tmux', ['-L', socket, ...args], { encoding: 'utf8', env });
  afterAll(() => void tmux('kill-server'));
  const screen = () => tmux('capture-pane', '-p').stdout;
  const until = async (what: RegExp) => {
    for (let at = 0; at < 150 && !what.test(screen()); at += 1) await sleep(100);
    expect(screen()).toMatch(what);
  };

  it('filters, shows streams, fits a smaller screen, and gives the terminal back', async () => {
    tmux('new-session', '-d', '-x', '120', '-y', '12', 'sh');
    tmux('send-keys', `echo before; ${command.join(' ')} top; echo ended $?`, 'Enter');
    await until(/^rxflume top {2}1 processes {2}1 flows$/m);
    await until(/^chat +first +running/m);
    expect(screen()).not.toContain('before');
    tmux('send-keys', 't');
    await until(/^kafka:chat\/0 +chat +first/m);
    tmux('send-keys', '/');
    tmux('send-keys', 'nothing');
    await until(/0 streams {2}\/nothing_/);
    tmux('send-keys', 'Escape');
    await until(/1 streams$/m);
    tmux('resize-window', '-x', '40', '-y', '8');
    await until(/^kafka:chat\/0/m);
    expect(
      Math.max(
        ...screen()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(40);
    tmux('send-keys', 'q');
    await until(/^ended 0$/m);
    expect(screen()).toContain('before');
    expect(tmux('display-message', '-p', '#{alternate_on}#{cursor_flag}').stdout.trim()).toBe('01');
  });
});

describe('the end', () => {
  it('of a flow that the console drains is that of a signal', async () => {
    expect((await post('api/flows/chat/drain', { confirm: true })).status).toBe(200);
    await new Promise((resolve) => (chat.child.exitCode === null ? chat.child.once('exit', resolve) : resolve(0)));
    expect(chat.child.exitCode).toBe(0);
    expect(chat.stdout()).toContain('chat drained after');
    expect(readdirSync(runtimeFolder(env) as string)).toEqual([]);
  });
});
