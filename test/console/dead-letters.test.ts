import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as t from 'io-ts';
import { NEVER } from 'rxjs';
import { decode } from '../../operators/index.js';
import type { DeadLetterList, DeadLetterPreview } from '../../src/console/dead-letter-contract.js';
import type { ConsoleAppOptions } from '../../src/console/options.js';
import { Monitor } from '../../src/core/monitor.js';
import { type DeadLetterStore, deadLetterFolder } from '../../src/dead-letters/index.js';
import { flow } from '../../src/flow/flow.js';
import { json } from '../../src/formats/json.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { secretField } from '../../src/formats/secret-field.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { type MemoryFileSystem, memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { BAD, chat, idsIn, letter, none, put } from '../dead-letters/letters.js';
import { type FakeConsole, fakeConsole } from './steered-flow.js';

let fs: MemoryFileSystem;
let one: FakeConsole | undefined;

beforeEach(async () => {
  fs = memoryFileSystem();
  await put(fs, `${BAD}/a.jsonl`, [
    letter(1, { value: '{"id":"one","token":"t0p"}' }),
    letter(2),
    letter(3, { code: 'RXF_DECODE_SYNTAX', value: 'not json', message: 'no JSON' }),
    letter(4, { flow: 'other' }),
  ]);
});
afterEach(() => one?.app.end());

function begun(options: ConsoleAppOptions = {}, store: DeadLetterStore = deadLetterFolder(fs, { root: BAD })) {
  one = fakeConsole({ deadLetters: { '*': store }, ...options }, chat(fs, [2]));
  return one;
}

const of = 'api/flows/chat/dead-letters';
const post = (json: unknown) => ({ method: 'POST', json });
const listOf = async ({ ask }: FakeConsole, query = '') => (await (await ask(of + query)).json()) as DeadLetterList;
const failure = async (response: Response) => {
  const { code, message } = (await response.json()) as { code: string; message: string };
  return `${response.status} ${code}: ${message}`;
};

describe('dead letters in the console', () => {
  it('are listed by cause and filtered, those of the flow alone, without the fields that are hidden', async () => {
    const list = await listOf(begun());
    expect(list.where).toBe('/bad on memory');
    expect(list.counts).toMatchObject({ waiting: 3, replayed: 0 });
    expect(list.groups).toEqual([
      expect.objectContaining({ code: 'RXF_DECODE_SHAPE', operator: '1 decode', waiting: 2, total: 2 }),
      expect.objectContaining({ code: 'RXF_DECODE_SYNTAX', waiting: 1 }),
    ]);
    expect(list.letters.map(({ place, value, redacted }) => [place, value, redacted])).toEqual([
      ['a.jsonl#1', '{"id":"one","token":"[redacted]"}', true],
      ['a.jsonl#2', '{"id":2}', false],
      ['a.jsonl#3', expect.stringMatching(/^\[redacted: 8 characters/), true],
    ]);
    const places = async (query: string) => (await listOf(one as FakeConsole, query)).letters.map(({ place }) => place);
    expect(await places('?code=RXF_DECODE_SYNTAX')).toEqual(['a.jsonl#3']);
    expect(await places('?contains=one')).toEqual(['a.jsonl#1']);
    expect(await places('?place=a.jsonl%232&place=a.jsonl%234')).toEqual(['a.jsonl#2']);
    expect(await places(`?since=${Date.parse('2026-03-02T10:15:02Z')}`)).toEqual([]);
    expect((await one?.ask(`${of}?since=yesterday`))?.status).toBe(400);
  });

  it('hide the fields that a codec of the flow calls secret, and so do taps', async () => {
    const Chat = t.type({ id: secretField(t.number) });
    const lake = fileSink<{ id: number }>(fs, { root: '/lake', format: jsonLines() });
    const own = fakeConsole(
      { deadLetters: { chat: deadLetterFolder(fs, { root: BAD }) } },
      flow('chat', none, decode(json(Chat)), lake.write()),
    );
    one = own;
    expect((await listOf(own)).letters[1]?.value).toBe('{"id":"[redacted]"}');
    await own.ask('api/taps', post({ flow: 'chat', edge: 1 }));
    expect(own.control.taps[0]?.options.redact).toEqual(['password', 'secret', 'token', 'authorization', 'id']);
  });

  it('are none before the first value is set aside', async () => {
    const { letters, counts } = await listOf(begun({}, deadLetterFolder(fs, { root: '/nothing' })));
    expect([letters, counts.waiting]).toEqual([[], 0]);
  });

  it('are tried with the flow of today, edited, replayed once, and dropped', async () => {
    const { ask, monitor } = begun();
    const said: string[] = [];
    monitor.logEvents$.subscribe(({ what, message }) => said.push(`${what}: ${message}`));
    const filter = { places: ['a.jsonl#2'] };
    const edits = { 'a.jsonl#2': { value: '{"id":22}' } };
    const previewed = async (body: unknown) =>
      (await (await ask(`${of}/preview`, post(body))).json()) as DeadLetterPreview;
    expect(await previewed({ filter })).toMatchObject({
      outcomes: { 'set aside': 1 },
      letters: [{ place: 'a.jsonl#2' }],
    });
    expect(await previewed({ filter, edits })).toMatchObject({ outcomes: { stored: 1 } });
    expect(idsIn(fs)).toEqual([]);

    expect(await failure(await ask(`${of}/replay`, post({ filter, edits })))).toContain('Send `"confirm":true`');
    const replay = post({ filter, edits, confirm: true });
    expect(await (await ask(`${of}/replay`, replay)).json()).toEqual({
      message: 'Replayed 1 dead letters through flow chat.',
    });
    await ask(`${of}/replay`, replay);
    expect(idsIn(fs)).toEqual([22]);
    expect(said).toContain('console.command: The console was asked to replay dead letters of flow chat.');

    const dropped = await ask(`${of}/drop`, post({ filter: {}, confirm: true }));
    expect(((await dropped.json()) as { message: string }).message).toMatch(/^Dropped 2 dead letters of \/bad/);
    expect((await listOf(one as FakeConsole)).counts).toMatchObject({ waiting: 0, replayed: 1, dropped: 2 });
    // What another flow set aside is not touched.
    expect(fs.files()[`${BAD}/a.jsonl`]).toBeDefined();
  });

  it('are not replayed with what is shown in the place of a hidden field', async () => {
    const { ask } = begun();
    const filter = { places: ['a.jsonl#1'] };
    const replay = (value: string) =>
      ask(`${of}/replay`, post({ filter, edits: { 'a.jsonl#1': { value } }, confirm: true }));
    expect(await failure(await replay('{"id":1,"token":"[redacted]"}'))).toMatch(
      /^409 RXF_OPTION_INVALID: The edited dead letter a.jsonl#1 holds `\[redacted\]`.*rxflume dlq replay --edit/,
    );
    expect((await replay('{"id":1,"token":"t0p"}')).status).toBe(200);
    expect(idsIn(fs)).toEqual([1]);
  });

  it('are only counted where the console is read-only, and nothing is tried, replayed or dropped', async () => {
    const console = begun({ readOnly: true });
    const { groups, letters } = await listOf(console);
    expect([groups.length, letters]).toEqual([2, []]);
    for (const command of ['preview', 'replay', 'drop'])
      expect(await failure(await console.ask(`${of}/${command}`, post({ filter: {}, confirm: true })))).toMatch(
        /^403 RXF_CONSOLE_READ_ONLY/,
      );
    expect((await listOf(console)).counts).toMatchObject({ waiting: 3 });
  });

  it('are for those who are logged in, from the page itself', async () => {
    const { ask } = begun();
    const drop = { ...post({ filter: {}, confirm: true }) };
    expect((await ask(of, { isStranger: true })).status).toBe(401);
    expect((await ask(`${of}/drop`, { ...drop, isStranger: true })).status).toBe(401);
    expect((await ask(`${of}/drop`, { ...drop, headers: { origin: 'https://evil.example' } })).status).toBe(403);
    expect((await listOf(one as FakeConsole)).counts).toMatchObject({ waiting: 3 });
  });

  it.each([
    [{}, 'Expected `filter` to be an object'],
    [{ filter: { cod: 'x' } }, 'A filter has no field `cod`'],
    [{ filter: { places: 'a' } }, 'Expected `places` to be a list of places'],
    [{ filter: {}, edits: { 'a#1': { offset: '1' } } }, 'Expected the edit of `a#1` to have a `value` or a `key`'],
  ])('are not touched by a request such as %j', async (body, message) => {
    const { ask } = begun();
    expect(await failure(await ask(`${of}/drop`, post({ ...body, confirm: true })))).toContain(
      `400 RXF_CONSOLE_REQUEST: ${message}`,
    );
  });

  it('are read by four requests at once, and not without a store', async () => {
    const { ask } = begun({}, { ...deadLetterFolder(fs, { root: BAD }), lines: () => NEVER });
    for (let at = 0; at < 4; at += 1) void ask(of);
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await failure(await ask(of))).toMatch(/^409 RXF_CONSOLE_LIMIT: 4 requests/);
    one?.app.end();
    const without = fakeConsole({ monitor: new Monitor() }, chat(fs));
    expect(await failure(await without.ask(of))).toMatch(/^404 .*--console-dead-letters/);
    without.app.end();
  });
});
