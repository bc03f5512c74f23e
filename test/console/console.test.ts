import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Subject } from 'rxjs';
import type { AlertEvent } from '../../src/alerts/index.js';
import { type PeerSources, peerList } from '../../src/cli/console/peer-list.js';
import type { ConsoleHistory, ConsoleSnapshot, TapValues } from '../../src/console/contract.js';
import { LatencyHistory } from '../../src/console/latency-history.js';
import { marbleTest } from '../../src/console/marble-test.js';
import type { ConsoleAppOptions } from '../../src/console/options.js';
import { Peers } from '../../src/console/peers.js';
import { Histogram } from '../../src/core/histogram.js';
import { type FakeConsole, fakeConsole, noteMetrics } from './steered-flow.js';

let open: FakeConsole[] = [];
beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  for (const { app } of open) app.end();
  open = [];
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function begun(options?: ConsoleAppOptions): FakeConsole {
  const one = fakeConsole(options);
  open.push(one);
  return one;
}

const post = (json: unknown) => ({ method: 'POST', json });
const snapshotOf = async ({ ask }: FakeConsole) => (await (await ask('api/snapshot')).json()) as ConsoleSnapshot;
const messageOf = async (response: Response) => ((await response.json()) as { message: string }).message;

/** The events of a stream as they come, each as its text. */
class Reader {
  readonly texts: string[] = [];
  isOver = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(response: Response) {
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** Reads all that comes, until it ends. */
  async read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.texts.push(...Buffer.from(value).toString().split('\n\n').filter(Boolean));
      }
    } catch {
      // The console has ended it.
    }
    this.isOver = true;
  }

  of(kind: string): string[] {
    return this.texts.filter((text) => text.startsWith(`event: ${kind}\n`));
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

async function streaming(one: FakeConsole, query = '', headers = {}): Promise<Reader> {
  const reader = new Reader(await one.ask(`api/stream${query}`, { headers }));
  void reader.read();
  return reader;
}

describe('a snapshot', () => {
  it('shows the parts of a flow in order, with the rates of the last seconds, and which one the others wait for', async () => {
    const one = begun();
    noteMetrics(one.monitor, 1_000);
    await snapshotOf(one);
    for (let second = 1; second <= 20; second += 1) {
      jest.advanceTimersByTime(1_000);
      noteMetrics(one.monitor, 1_000 + second * 400);
      await snapshotOf(one);
    }
    const { process, readOnly, flows, watchesAlerts } = await snapshotOf(one);
    expect([process, readOnly, watchesAlerts, flows.length]).toEqual(['here', false, false, 1]);
    const [flow] = flows;
    expect(flow).toMatchObject({
      name: 'chat',
      state: 'running',
      guarantee: 'at least once',
      commands: ['pause', 'roll', 'drain'],
      culprit: { part: 2, because: expect.stringContaining('unanswered for 12.0 s') },
      files: [{ path: '/lake/a', values: 10 }],
    });
    expect(flow?.parts.map(({ kind, name, perSecond }) => [kind, name, Math.round(perSecond ?? -1)])).toEqual([
      ['source', 'kafkaSource', 400],
      ['operator', '1 mapValue', 400],
      ['sink', 'sink', 200],
    ]);
    expect(flow?.parts[0]?.inFlight).toBe(7);
    expect(flow?.edges.map(({ perSecond, bytesPerSecond }) => [Math.round(perSecond), bytesPerSecond])).toEqual([
      [400, 4_000],
      [200, undefined],
    ]);
    expect(flow?.streams).toEqual([
      { stream: 'kafka:chat/0', logEnd: 1_000, released: 600, read: 700, backlog: 300, paused: false },
    ]);
  });

  it('is the same for all who ask within a quarter of a second, and made less often where it takes long', async () => {
    const one = begun();
    noteMetrics(one.monitor, 1);
    let readings = 0;
    one.monitor.collect(() => {
      readings += 1;
      return [];
    });
    for (let at = 0; at < 20; at += 1) await snapshotOf(one);
    expect(readings).toBe(1);
    one.monitor.collect(() => {
      jest.advanceTimersByTime(40); // What a reading of thousands of partitions takes.
      return [];
    });
    jest.advanceTimersByTime(250);
    await snapshotOf(one);
    readings = 0;
    for (let at = 0; at < 40; at += 1) {
      jest.advanceTimersByTime(250);
      await snapshotOf(one);
    }
    // 40 ms are a fiftieth of 2 s.
    expect(readings).toBeLessThanOrEqual(6);
  });

  it('has the alerts that are pending or fire, and those resolved a short time ago', async () => {
    const alerts$ = new Subject<AlertEvent>();
    const one = begun({ alerts$ });
    const alert = (state: AlertEvent['state'], alertname = 'Stalled'): AlertEvent => ({
      state,
      isFiring: state === 'firing',
      labels: { alertname, flow: 'chat' },
      annotations: { summary: 'No progress.' },
      at: 9_000,
      startsAt: 5_000,
    });
    const phases = async () => (await snapshotOf(one)).alerts.map(({ name, phase }) => `${name} ${phase}`);
    alerts$.next(alert('pending'));
    expect((await snapshotOf(one)).alerts).toEqual([
      { name: 'Stalled', flow: 'chat', phase: 'pending', since: 5_000, message: 'No progress.' },
    ]);
    alerts$.next(alert('firing'));
    alerts$.next(alert('pending', 'Old'));
    expect(await phases()).toEqual(['Stalled firing', 'Old pending']);
    alerts$.next(alert('resolved'));
    alerts$.next(alert('inactive', 'Old'));
    expect(await phases()).toEqual(['Stalled resolved']);
    jest.advanceTimersByTime(900_001);
    expect(await phases()).toEqual([]);
    alerts$.error(new Error('rules failed'));
    expect((await snapshotOf(one)).watchesAlerts).toBe(true);
  });

  it('does not grow in an hour of updates: 15 minutes of history, a point every 5 s', async () => {
    const one = begun();
    for (let at = 0; at < 1_000; at += 1) one.monitor.logEvent('info', 'test', `line ${at}`);
    const size = async () => (await (await one.ask('api/history')).text()).length;
    const sizes: number[] = [];
    for (let minute = 1; minute <= 60; minute += 1) {
      noteMetrics(one.monitor, 1_000 * minute);
      jest.advanceTimersByTime(60_000);
      if (minute % 15 === 0) sizes.push(await size());
    }
    const { seconds, flows } = (await (await one.ask('api/history')).json()) as ConsoleHistory;
    expect([seconds.length, (seconds.at(-1) ?? 0) - (seconds[0] ?? 0)]).toEqual([180, 895]);
    expect(flows.chat?.backlog).toHaveLength(180);
    expect(flows.chat?.backlog.at(-1)).toBe(300);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.2);
  });

  it('keeps p50 and p99 of what sources acked in each step of the history', () => {
    const seconds = new Histogram();
    const history = new LatencyHistory(3);
    const name = 'rxflume_source_settle_duration_seconds';
    const labels = { flow: 'chat', source: 'kafka' };
    const add = (of: Histogram) => history.add([{ name, labels, value: 0, histogram: of.read() }]);
    const kept = () =>
      history.read().chat?.map(({ source, settleP50, settleP99 }) => ({ source, settleP50, settleP99 }));
    history.add([]);
    seconds.observe(0.2, 99);
    seconds.observe(3);
    add(seconds);
    add(seconds);
    expect(kept()).toEqual([{ source: 'kafka', settleP50: [null, 0.25, null], settleP99: [null, 0.25, null] }]);
    seconds.observe(7, 2);
    seconds.observe(0.9, 2);
    add(seconds);
    const anew = new Histogram();
    anew.observe(1e9);
    add(anew);
    expect(kept()).toEqual([{ source: 'kafka', settleP50: [null, 1, 2 ** 20], settleP99: [null, 8, 2 ** 20] }]);
    for (let step = 0; step < 3; step += 1) history.add([]);
    expect(history.read()).toEqual({});
    const late = new LatencyHistory(3);
    late.add([{ name, labels, value: 0, histogram: seconds.read() }]);
    expect(late.read().chat?.[0]?.settleP50).toEqual([null]);
    for (let nth = 0; nth < 150; nth += 1) {
      history.add([{ name, labels: { flow: 'many', source: `${nth}` }, value: 0, histogram: anew.read() }]);
    }
    expect(history.read().many?.length).toBeLessThanOrEqual(100);
  });

  it('has what peers show, asked within 2 s, and says which did not answer', async () => {
    const asked: string[] = [];
    const flows = [{ name: 'other' }];
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      asked.push(`${input} ${(init as { headers: Record<string, string> }).headers.authorization}`);
      if (String(input).includes('dead')) throw new Error('connect ECONNREFUSED');
      return new Response(JSON.stringify({ process: 'there', flows }));
    });
    const one = begun({ peers: ['http://p1:9465', 'http://dead:1/console'], password: 'correct horse' });
    expect((await snapshotOf(one)).peers.map(({ ok }) => ok)).toEqual([false, false]);
    await jest.advanceTimersByTimeAsync(10);
    expect((await snapshotOf(one)).peers).toEqual([
      { process: 'there', url: 'http://p1:9465', ok: true, flows },
      {
        process: 'http://dead:1/console',
        url: 'http://dead:1/console',
        ok: false,
        message: 'It did not answer: connect ECONNREFUSED.',
        flows: [],
      },
    ]);
    expect(asked).toEqual([
      'http://p1:9465/api/snapshot?alone Bearer correct horse',
      'http://dead:1/console/api/snapshot?alone Bearer correct horse',
    ]);
    for (let at = 0; at < 10; at += 1) await snapshotOf(one);
    expect(asked).toHaveLength(2);
  });
});

describe('peers', () => {
  const sources = (names: Record<string, string[]>, files: Record<string, string> = {}): PeerSources => ({
    read: async (file) => files[file] ?? Promise.reject(new Error('ENOENT')),
    addresses: async (name) => names[name] ?? Promise.reject(new Error('ENOTFOUND')),
    own: () => ['10.0.0.1'],
  });

  it('are URLs, the lines of a file, and all addresses of a name but our own', async () => {
    const of = sources(
      { 'rxflume.jobs.svc': ['10.0.0.1', '10.0.0.2', 'fd00::3'] },
      { peers: 'http://a:1/ # first\n\ndns:rxflume.jobs.svc:9466\n' },
    );
    const all = ['http://a:1/', 'http://10.0.0.2:9466/', 'http://[fd00::3]:9466/'];
    expect(await peerList('peers', true, 9_466, of)).toEqual(all);
    expect(await peerList('http://a:1/,http://a:1/', false, 9_466, of)).toEqual(['http://a:1/']);
    expect(await peerList('dns:rxflume.jobs.svc:80', false, 9_466, of)).toHaveLength(3);
    await expect(peerList('gone', true, 9_466, of)).rejects.toThrow('Cannot read gone, the file of `--console-peers`');
    await expect(peerList('dns:nowhere:1', false, 1, of)).rejects.toThrow('Cannot look up nowhere');
    await expect(peerList('a:1', false, 1, of)).rejects.toThrow('to be a URL, or dns:<name>:<port>, got `a:1`');
  });

  it('are listed again every 10 s; where that fails, those that were known stay, and it is said', async () => {
    jest
      .spyOn(globalThis, 'fetch')
      .mockImplementation(
        async (input) => new Response(JSON.stringify({ process: new URL(String(input)).host, flows: [] })),
      );
    let listed: string[] | Error = ['http://a:1/'];
    const failures: unknown[] = [];
    const urls = async () => {
      if (listed instanceof Error) throw listed;
      return listed;
    };
    const peers = new Peers(
      ['http://a:1/'],
      urls,
      () => undefined,
      (error) => failures.push(error),
    );
    const shown = async (ms: number) => {
      for (let at = 0; at < ms; at += 1_000) {
        peers.look();
        await jest.advanceTimersByTimeAsync(1_000);
      }
      return peers.views().map(({ process, ok }) => `${process} ${ok}`);
    };
    expect(await shown(3_000)).toEqual(['a:1 true']);
    listed = ['http://b:2/', 'http://a:1/'];
    expect(await shown(12_000)).toEqual(['b:2 true', 'a:1 true']);
    listed = new Error('no DNS');
    expect(await shown(12_000)).toEqual(['b:2 true', 'a:1 true']);
    expect(failures).toEqual([listed]);
  });
});

describe('the stream', () => {
  it('has at most 4 snapshots a second, log events by their number, and a comment every 15 s', async () => {
    const one = begun();
    one.monitor.logEvent('warn', 'flow.stalled', 'No <b>progress</b>.');
    const reader = await streaming(one);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(reader.texts[0]).toBe('retry: 2000');
    expect(reader.of('log')).toEqual([
      expect.stringMatching(/^event: log\nid: 1\ndata: \{"seq":1,.*"message":"No <b>progress/),
    ]);
    expect(reader.of('snapshot').length).toBeGreaterThanOrEqual(3);
    expect(reader.of('snapshot').length).toBeLessThanOrEqual(4);
    one.monitor.logEvent('info', 'test', 'second');
    const again = await streaming(one, '', { 'last-event-id': '1' });
    await jest.advanceTimersByTimeAsync(1);
    expect(again.of('log')).toEqual([expect.stringContaining('"second"')]);
    await reader.cancel();
    await again.cancel();
  });

  it('takes a hundredth of the time at most, with what is sent, and comes every 5 s whatever it takes', async () => {
    const one = begun();
    let spentMs = 0;
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + spentMs);
    let looks = 0;
    let costMs = 10;
    one.monitor.collect(() => {
      looks += 1;
      spentMs += costMs / 2;
      return [];
    });
    const stringify = JSON.stringify;
    jest.spyOn(JSON, 'stringify').mockImplementation((...args: Parameters<typeof stringify>) => {
      if (typeof args[0] === 'object' && args[0] !== null && 'flows' in args[0]) spentMs += costMs / 2;
      return stringify(...args);
    });
    const reader = await streaming(one);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(spentMs).toBeGreaterThan(400);
    expect(spentMs).toBeLessThanOrEqual(610);
    costMs = 1_000;
    await jest.advanceTimersByTimeAsync(1_000);
    looks = 0;
    await jest.advanceTimersByTimeAsync(30_000);
    expect(looks).toBeGreaterThanOrEqual(6);
    await reader.cancel();
  });

  it('is not queued for a reader that is slow, and ends for one that reads nothing for a minute', async () => {
    const one = begun();
    const response = await one.ask('api/stream');
    await jest.advanceTimersByTimeAsync(10_000);
    for (let at = 0; at < 1_000; at += 1) one.monitor.logEvent('info', 'test', 'x'.repeat(4_000));
    const reader = new Reader(response);
    void reader.read();
    await jest.advanceTimersByTimeAsync(100);
    // One snapshot waited for it, and what fits into 256 KiB.
    expect(reader.of('snapshot').length).toBeLessThanOrEqual(2);
    expect(reader.texts.join('').length).toBeLessThan(300_000);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(reader.of('snapshot').length).toBeGreaterThan(10);

    const deaf = await one.ask('api/stream');
    await jest.advanceTimersByTimeAsync(70_000);
    const late = new Reader(deaf);
    await late.read();
    expect(late.isOver).toBe(true);
    await reader.cancel();
  });

  it('is one of 16 at most, and gives its place back when its reader is gone', async () => {
    const one = begun();
    const readers = await Promise.all(Array.from({ length: 16 }, () => streaming(one)));
    const full = await one.ask('api/stream');
    expect([full.status, await messageOf(full)]).toEqual([503, expect.stringContaining('16 pages are open')]);
    await readers[0]?.cancel();
    expect((await one.ask('api/stream')).status).toBe(200);
  });

  it('ends with the console', async () => {
    const one = begun();
    const reader = await streaming(one);
    one.app.end();
    await jest.advanceTimersByTimeAsync(1);
    expect(reader.isOver).toBe(true);
  });
});

describe('a tap', () => {
  it('keeps the last 100 values as data, and gives them to the streams that want them', async () => {
    const one = begun();
    const { id } = (await (await one.ask('api/taps', post({ flow: 'chat', edge: 1, contains: 'a' }))).json()) as {
      id: string;
    };
    expect(one.control.taps[0]).toMatchObject({
      edge: 1,
      options: { contains: 'a', redact: expect.arrayContaining(['password']) },
    });
    expect((await snapshotOf(one)).flows).toEqual([]);
    const [with1, without] = [await streaming(one, `?tap=${id}`), await streaming(one)];
    one.control.passes('<script>alert(1)</script>', 41);
    await jest.advanceTimersByTimeAsync(1);
    expect(with1.of('tap')).toEqual([expect.stringContaining('"text":"<script>alert(1)</script>"')]);
    expect(without.of('tap')).toEqual([]);
    const answer = await one.ask(`api/taps/${id}`);
    // A browser that is led here shows text, and runs nothing.
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    for (let at = 0; at < 200; at += 1) one.control.passes(`a${at}`, at);
    const { values } = (await (await one.ask(`api/taps/${id}`)).json()) as TapValues;
    expect([values.length, values[0]?.text, values.at(-1)?.text]).toEqual([100, 'a100', 'a199']);
    for (let at = 0; at < 100; at += 1) one.control.passes('x'.repeat(65_536), at);
    const { values: long } = (await (await one.ask(`api/taps/${id}`)).json()) as TapValues;
    expect(long).toHaveLength(64);
    await with1.cancel();
    await without.cancel();
  });

  it('ends half a minute after its tab is gone, and 8 are the most', async () => {
    const one = begun();
    const begin = async () =>
      (await one.ask('api/taps', post({ flow: 'chat', edge: 0 }))).json() as Promise<{ id: string }>;
    const ids = await Promise.all(Array.from({ length: 8 }, begin));
    const ninth = await one.ask('api/taps', post({ flow: 'chat', edge: 0 }));
    expect([ninth.status, await messageOf(ninth)]).toEqual([409, expect.stringContaining('8 taps are open')]);
    const reader = await streaming(one, `?tap=${ids[0]?.id}`);
    const isOpen = async (at: number) => (await one.ask(`api/taps/${ids[at]?.id}/test`)).status === 200;
    const observed = () => one.control.taps.filter(({ values$ }) => values$.observed).length;
    await jest.advanceTimersByTimeAsync(31_000);
    expect([await isOpen(0), await isOpen(1), observed()]).toEqual([true, false, 1]);
    await reader.cancel();
    await jest.advanceTimersByTimeAsync(31_000);
    expect(observed()).toBe(0);
    const { id } = await begin();
    expect((await one.ask(`api/taps/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(observed()).toBe(0);
  });

  it('becomes a test in which values are data, never code', () => {
    const value = (text: string, stream = 'kafka:chat/0') => ({
      tap: 't',
      atMs: 0,
      stream,
      offset: 1,
      text,
      cut: false,
      redacted: false,
    });
    const evil = [
      value('`$' + '{process.exit()}`'),
      value('a");process.exit();("b'),
      value('{"a":"\\u2028*/"}'),
      value('x', 'a\nprocess.exit()'),
    ];
    const made = marbleTest(
      { flow: 'chat', edge: 1, from: 'a\u2028process.exit()', to: "b', () => process.exit()" },
      evil,
      'today',
    );
    expect(made).toContain('  "a": "`$' + '{process.exit()}`",\n');
    expect(made).toContain('  "b": "a\\");process.exit();(\\"b",\n');
    expect(made).toContain('  "c": {"a":"\\u2028*/"},\n');
    expect(made.split(/[\n\u2028]/).filter((line) => line.startsWith('process'))).toEqual([]);
    expect(made).toContain(`test("chat: what passed from a process.exit() to b', () => process.exit()", () =>`);
    expect(marbleTest({ flow: 'chat', edge: 0, from: 'a', to: 'b' }, [value('{}')], 'today')).toContain(
      '"a": Buffer.from("{}"),',
    );
    const many = Array.from({ length: 70 }, (_, at) => value(String(at)));
    expect(marbleTest({ flow: 'chat', edge: 1, from: 'a', to: 'b' }, many, 'today')).toContain(
      '// 8 more are left out',
    );
  });
});

describe('commands', () => {
  it('do something once they are confirmed, and are logged', async () => {
    const one = begun();
    const said: string[] = [];
    one.monitor.logEvents$.subscribe(({ what, message }) => said.push(`${what}: ${message}`));
    const bare = await one.ask('api/flows/chat/pause', post({}));
    expect([bare.status, await messageOf(bare)]).toEqual([400, expect.stringContaining('"confirm":true')]);
    for (const command of ['pause', 'resume', 'roll', 'drain']) {
      const done = await one.ask(`api/flows/chat/${command}`, post({ confirm: true }));
      expect([done.status, await messageOf(done)]).toEqual([200, expect.stringMatching(/^Flow `chat` /)]);
    }
    expect(one.control.asked).toEqual(['pause', 'resume', 'roll', 'drain']);
    expect(said[0]).toBe('console.command: The console was asked to pause flow chat.');
    expect((await one.ask('api/flows/chat/explode', post({ confirm: true }))).status).toBe(404);
    expect((await one.ask('api/flows/none/pause', post({ confirm: true }))).status).toBe(404);
  });

  it('are rejected where the console is read-only, and so are taps', async () => {
    const one = begun({ readOnly: true });
    noteMetrics(one.monitor, 1);
    const { readOnly, flows } = await snapshotOf(one);
    expect([readOnly, flows[0]?.commands]).toEqual([true, []]);
    for (const path of ['api/flows/chat/pause', 'api/flows/chat/drain', 'api/taps']) {
      const denied = await one.ask(path, post({ confirm: true, flow: 'chat', edge: 0 }));
      expect([denied.status, (await denied.json()) as object]).toEqual([
        403,
        expect.objectContaining({ code: 'RXF_CONSOLE_READ_ONLY' }),
      ]);
    }
    const reset = await one.ask('api/flows/chat/reset', post({ to: { offset: 1 }, confirm: true }));
    expect(reset.status).toBe(403);
    expect(one.control.asked).toEqual([]);
    expect(one.control.taps).toEqual([]);
  });

  it('preview what a reset would redeliver, and change nothing until it is confirmed', async () => {
    const one = begun();
    const reset = async (body: unknown) => (await one.ask('api/flows/chat/reset', post(body))).json();
    expect(await reset({ to: { offset: 100 } })).toMatchObject({
      perStream: [{ stream: 'kafka:chat/0', from: 500, to: 100, redelivered: 400 }],
      message: expect.stringContaining('400 offsets of 1 streams would be redelivered, and 0 skipped'),
    });
    expect(await reset({ to: { offset: 5_000 } })).toMatchObject({ perStream: [{ to: 1_000, redelivered: -500 }] });
    expect(await reset({ to: { time: 42_000 } })).toMatchObject({ perStream: [{ to: 42, redelivered: 458 }] });
    expect(await reset({ to: { offset: 1 }, streams: ['other'] })).toMatchObject({ perStream: [] });
    for (const to of [{ offset: -1 }, { time: 'now' }, {}, null])
      expect((await one.ask('api/flows/chat/reset', post({ to }))).status).toBe(400);
    expect(one.control.asked).toEqual([]);
    expect(await reset({ to: { offset: 1 }, confirm: true })).toMatchObject({ message: 'Moved.' });
    expect(one.control.asked).toEqual(['reset {"offset":1}']);
  });

  it('say where a record is', async () => {
    const { ask } = begun();
    const why = async (query: string) => (await ask(`api/why?${query}`)).json();
    expect(await why('stream=kafka:chat/0&offset=41')).toEqual({
      stream: 'kafka:chat/0',
      offset: 41,
      state: 'in flight',
      at: 'operator 1 mapValue',
      sinceSeconds: 3,
      holdsUp: 7,
      message: 'It is in operator 1 mapValue.',
    });
    expect(await why('stream=kafka:other/0&offset=1')).toMatchObject({
      state: 'unknown',
      message: expect.stringContaining('rxflume ledger'),
    });
    expect((await ask('api/why?stream=a')).status).toBe(400);
    expect((await ask('api/why?offset=1')).status).toBe(400);
  });
});
