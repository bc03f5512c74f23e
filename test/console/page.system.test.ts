import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

import { startChromium } from './chromium.js';
import { FakeConsole, TOKEN } from './fake-console.js';
import { chatFlow, historyOf, lettersOf, quietFlow, snapshotOf } from './simulated-flows.js';

// A limit for what hangs: each test opens a page of its own.
jest.setTimeout(60_000);

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TABS = ['graph', 'lanes', 'partitions', 'files', 'dead-letters', 'charts', 'tap'];
const chat = '#/flow/chat-to-lake';

let browser: Browser;
let fake = new FakeConsole(snapshotOf([]));
let faults: string[] = [];

beforeAll(async () => {
  browser = await startChromium();
}, 60_000);

afterAll(() => browser.close());

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await fake.stop();
  expect(faults).toEqual([]);
});

/** A tab on the console of `snapshot`; whatever the browser complains of fails the test. */
async function open(
  snapshot = snapshotOf([chatFlow(), quietFlow()]),
  options: BrowserContextOptions = {},
  token = TOKEN,
): Promise<Page> {
  fake = new FakeConsole(snapshot);
  fake.history = historyOf('chat-to-lake');
  fake.answers.set('GET api/flows/chat-to-lake/dead-letters', { status: 200, body: lettersOf() });
  faults = [];
  const url = await fake.start();
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })).newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // Requests that a test lets fail are no fault of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.setDefaultTimeout(15_000);
  await page.goto(`${url}#token=${token}`);
  return page;
}

/** Goes to a view, and waits until it is drawn. */
const go = (page: Page, hash: string) =>
  page.evaluate(`new Promise((drawn) => {
    const twoFrames = () => requestAnimationFrame(() => requestAnimationFrame(drawn));
    if (location.hash === ${JSON.stringify(hash)}) twoFrames();
    else addEventListener('hashchange', () => twoFrames(), { once: true });
    location.hash = ${JSON.stringify(hash)};
  })`);
const posts = () => fake.asked.filter(({ method, path }) => method === 'POST' && path.startsWith('api/flows'));

/** Waits for a text in what is seen. */
const sees = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

/** What axe finds in the page as it is. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`);
  return found as string[];
}

describe('the page', () => {
  it('signs in by the token, drops it from the address, and shows every flow of every process', async () => {
    const page = await open();
    await sees(page, '3 flows in 3 processes');
    expect(page.url()).toMatch(/\/#\/$/);
    expect(fake.asked[0]).toEqual({ method: 'POST', path: 'api/session', body: { token: TOKEN } });
    await sees(page, 'connect ECONNREFUSED 10.0.3.19:9465');
    expect(fake.listening).toBe(1);
    await page.reload();
    await sees(page, '3 flows in 3 processes');
  });

  it('says what to do with a wrong token, and takes the right one by hand', async () => {
    const page = await open(undefined, {}, 'wrong');
    await sees(page, 'This is not the token. Open the address that the process printed.');
    expect(page.url()).not.toContain('wrong');
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Token or password').fill(TOKEN);
    await page.keyboard.press('Enter');
    await sees(page, '3 flows in 3 processes');
  });

  it('has each view of a flow, and marks the part that the others wait for', async () => {
    const page = await open();
    await go(page, chat);
    await page.locator('.part').nth(4).waitFor();
    expect(await page.locator('.part.is-culprit').allTextContents()).toEqual([expect.stringContaining('4 files')]);
    await sees(page, /is what the others wait for: it has settled nothing for 12 s/);
    expect(await page.locator('.edge-label b').allTextContents()).toEqual(['12.5k/s', '12.5k/s', '12.5k/s', '4.13k/s']);
    await go(page, `${chat}/lanes`);
    expect(await page.locator('.lane').count()).toBe(8);
    await sees(page, 'No offsets are known yet.');
    await go(page, `${chat}/partitions`);
    expect(await page.locator('tbody tr').first().locator('td').allTextContents()).toEqual([
      'kafka:chat/3',
      '57,450',
      '48,000',
      '17 s',
      '3 h 20 min',
      '1,000,000',
      '1,057,450',
      'reading',
    ]);
    await go(page, `${chat}/files`);
    await sees(page, '/lake/chat/2026/11/27/20/chat-0-1000.jsonl.gz');
    await go(page, `${chat}/dead-letters`);
    await sees(page, 'RXF_DECODE_SYNTAX');
    await go(page, `${chat}/charts`);
    await page.locator('.chart canvas').nth(6).waitFor();
    await page
      .getByRole('img', { name: /^Time until the ack, p50 in the last 15 minutes: now 2 s, p99 8 s/ })
      .waitFor();
    await page.getByRole('img', { name: /^Age at the ack, p50 in the last 15 minutes: now 4 s, p99 16 s/ }).waitFor();
    await go(page, '#/flow/gone');
    await sees(page, 'This flow does not run in this process. It may have ended, or have another name.');
  });

  it('asks where a record is, at the offset that was clicked', async () => {
    const page = await open();
    const message = 'The sink has had it for 12 s.';
    fake.answers.set('GET api/why', {
      status: 200,
      body: { stream: 'kafka:chat/2', offset: 7, state: 'in flight', holdsUp: 9_000, message },
    });
    await go(page, `${chat}/lanes`);
    await page
      .locator('.lane')
      .nth(2)
      .locator('.band')
      .click({ position: { x: 200, y: 5 } });
    await sees(page, message);
    await sees(page, '9,000 records that cannot be committed');
    expect(Number(await page.getByLabel('Offset').inputValue())).toBeGreaterThan(995_000);
    expect(await violations(page)).toEqual([]);
  });

  it('shows a value as text, whatever it is, and makes a test of what was tapped', async () => {
    const page = await open();
    fake.answers.set('POST api/taps', { status: 201, body: { id: 't1' } });
    fake.answers.set('GET api/taps/t1/test', { status: 200, body: "it('is as tapped', () => {});" });
    await go(page, chat);
    await page.getByTitle('Tap from source to 1 decode').click();
    await page.getByLabel('Only values with').fill('script');
    await page.getByRole('button', { name: 'Start the tap' }).click();
    await sees(page, 'Waiting for the first value that passes.');
    expect(fake.asked.find(({ path }) => path === 'api/taps')?.body).toEqual({
      flow: 'chat-to-lake',
      edge: 0,
      contains: 'script',
    });
    const text = '<script>document.title = "taken"</script><img src=x onerror="document.title=1">';
    while (fake.listening !== 1) await page.waitForTimeout(20);
    await page.waitForTimeout(200);
    fake.tapped({ tap: 't1', atMs: 1, stream: 'kafka:chat/0', offset: 5, text, cut: false, redacted: true });
    await sees(page, text);
    expect(await page.locator('pre').allTextContents()).toEqual([text]);
    expect(await page.title()).toBe('rxflume console');
    await page.getByRole('button', { name: 'Copy as a marble test' }).click();
    await page.locator('textarea').waitFor();
    expect(await page.locator('textarea').inputValue()).toBe("it('is as tapped', () => {});");
  });

  it('asks before a command, does it, and says why not where it cannot be done', async () => {
    const page = await open();
    await go(page, chat);
    fake.answers.set('POST api/flows/chat-to-lake/roll', {
      status: 409,
      body: { code: 'X', message: 'No file is open.' },
    });
    await page.getByRole('button', { name: 'Roll now' }).click();
    expect(posts()).toEqual([]);
    await page.locator('dialog').getByRole('button', { name: 'Roll now' }).click();
    await sees(page, 'No file is open.');
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(posts().map(({ path, body }) => [path, body])).toEqual([['api/flows/chat-to-lake/roll', { confirm: true }]]);
  });

  it('resets a position only after its effect was seen', async () => {
    const page = await open(snapshotOf([{ ...chatFlow(), commands: ['reset'] }]));
    const preview = {
      message: '5,000 records are delivered again.',
      perStream: [
        { stream: 'kafka:chat/1', from: 9_000, to: 4_000, redelivered: 5_000 },
        { stream: 'kafka:chat/10', from: 1, to: 9, redelivered: -8 },
      ],
    };
    fake.answers.set('POST api/flows/chat-to-lake/reset', { status: 200, body: preview });
    await go(page, chat);
    await page.getByRole('button', { name: 'Reset position' }).click();
    await page.getByLabel('an offset').check();
    await page.getByLabel('Offset', { exact: true }).fill('4000');
    await page.getByLabel('Streams with').fill('chat/1');
    await page.getByRole('button', { name: 'Preview' }).click();
    await sees(page, '5,000 redelivered');
    await sees(page, '8 skipped');
    expect(await violations(page)).toEqual([]);
    const body = { to: { offset: 4_000 }, streams: ['kafka:chat/1'] };
    expect(posts().map((post) => post.body)).toEqual([body]);
    fake.answers.set('POST api/flows/chat-to-lake/reset', { status: 200, body: { message: 'The position is reset.' } });
    await page.locator('dialog').getByRole('button', { name: 'Reset position' }).click();
    await sees(page, 'The position is reset.');
    expect(posts().map((post) => post.body)).toEqual([body, { ...body, confirm: true }]);
  });

  it('has a dead letter edited, tried and replayed, and asks for those that fit', async () => {
    const page = await open();
    await go(page, `${chat}/dead-letters`);
    await sees(page, /44 waiting, 1,200 replayed, 3 dropped/);
    expect(await page.locator('pre').last().textContent()).toBe('<script>document.title = "taken"</script>');
    expect(await page.title()).toBe('rxflume console');
    await page.getByRole('combobox', { name: 'Cause' }).fill('RXF_DECODE_SHAPE');
    await page.getByLabel('Stream', { exact: true }).fill('kafka:chat/3');
    await page.getByRole('button', { name: 'Find' }).click();
    const place = 'dt=2026-11-27/kafka-chat-3+1001+1040.jsonl.gz#1';
    const path = 'api/flows/chat-to-lake/dead-letters';
    const outcome = (of: string, message?: string) => ({
      status: 200,
      body: {
        outcomes: { [of]: 1 },
        letters: [{ place, outcome: of, operator: '1 decode', values: 1, message }],
        cut: false,
      },
    });
    fake.answers.set(`POST ${path}/preview`, outcome('set aside', 'Expected n to be number.'));
    await page.getByRole('button', { name: 'Edit and replay' }).first().click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await sees(page, 'Expected n to be number.');
    expect(await violations(page)).toEqual([]);
    fake.answers.set(`POST ${path}/preview`, outcome('stored'));
    await page.getByLabel('Value', { exact: true }).fill('{"n":12}');
    expect(await page.locator('dialog').getByRole('button', { name: 'Replay' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Preview' }).click();
    await sees(page, /Today's flow: 1 stored/);
    fake.answers.set(`POST ${path}/replay`, { status: 200, body: { message: 'Replayed 1 dead letter.' } });
    await page.locator('dialog').getByRole('button', { name: 'Replay' }).click();
    await sees(page, 'Replayed 1 dead letter.');
    const filter = { places: [place] };
    const edits = { [place]: { value: '{"n":12}' } };
    expect(posts().map(({ body }) => body)).toEqual([{ filter }, { filter, edits }, { filter, edits, confirm: true }]);
    fake.answers.set(`POST ${path}/drop`, { status: 409, body: { code: 'X', message: 'Another replay runs.' } });
    await page.getByRole('button', { name: 'Drop all 44' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Drop' }).click();
    await sees(page, 'Another replay runs.');
    expect(await violations(page)).toEqual([]);
    expect(posts().at(-1)?.body).toEqual({
      filter: { code: 'RXF_DECODE_SHAPE', stream: 'kafka:chat/3' },
      confirm: true,
    });
  });

  it('offers no command and no tap where it is read-only, nor for the flow of a peer', async () => {
    const readOnly = { ...chatFlow(), commands: [] };
    const page = await open(snapshotOf([readOnly], { readOnly: true }));
    for (const hash of [chat, '#/peer/collector-7d9f-b8k4%2F1/chat-to-lake/graph']) {
      await go(page, hash);
      await page.locator('.part').first().waitFor();
      expect(await page.locator('main button:not(.culprit button)').allTextContents()).toEqual([]);
      expect(await page.locator('.tabs').textContent()).not.toContain('Tap');
    }
    await page.getByRole('link', { name: 'its own console' }).waitFor();
  });

  it('works by keyboard alone', async () => {
    const page = await open();
    await sees(page, '3 flows in 3 processes');
    const focused = () =>
      page.evaluate("document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label')");
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('To the content');
    await page.keyboard.press(']');
    await page.locator('.part').first().waitFor();
    for (const [index, tab] of TABS.entries()) {
      await page.keyboard.press(String(index + 1));
      await expect(page.waitForURL(`**/${tab}`)).resolves.toBeUndefined();
    }
    await page.keyboard.press('3');
    // Tables of a view before may be there for another frame.
    await page.getByRole('columnheader', { name: 'Headroom' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('chat/5?');
    expect(await page.locator('dialog').count()).toBe(0);
    await sees(page, '0 of 8');
    await page.keyboard.press('Backspace');
    await sees(page, '1 of 8');
    await page.getByRole('button', { name: 'Drain' }).focus();
    fake.answers.set('POST api/flows/chat-to-lake/drain', { status: 200, body: { message: 'chat-to-lake drains.' } });
    await page.keyboard.press('Enter');
    await page.locator('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await focused()).toBe('Drain');
    await page.keyboard.press('Enter');
    await page.locator('dialog').waitFor();
    for (let presses = 0; (await focused()) !== 'Drain' && presses < 5; presses += 1) await page.keyboard.press('Tab');
    expect(posts()).toEqual([]);
    await page.keyboard.press('Enter');
    await sees(page, 'chat-to-lake drains.');
    expect(posts()).toHaveLength(1);
    await page.keyboard.press('?');
    await page.getByLabel('Single-key shortcuts').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('o');
    expect(page.url()).toContain('/partitions');
  });

  it('filters and holds the log', async () => {
    const page = await open();
    await go(page, '#/log');
    await sees(page, 'Nothing has been logged yet.');
    const line = (seq: number) =>
      fake.log({ seq, atMs: seq, level: seq % 2 ? 'info' : 'error', what: 'commit', message: `line ${seq}` });
    for (const seq of [1, 2, 3]) line(seq);
    await sees(page, 'line 3');
    await page.getByLabel('Level').selectOption('error');
    expect(await page.locator('.log .message').allTextContents()).toEqual(['line 2']);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Pause' }).click();
    for (const seq of [4, 5]) line(seq);
    await sees(page, 'paused, 2 new');
    expect(await page.locator('.log .message').allTextContents()).toEqual(['line 2']);
    await page.getByRole('button', { name: 'Continue' }).click();
    await sees(page, 'line 4');
  });

  it.each(['light', 'dark'] as const)(
    'has no fault that axe finds, %s',
    async (colorScheme) => {
      const page = await open(undefined, { colorScheme });
      fake.answers.set('POST api/taps', { status: 201, body: { id: 't1' } });
      await sees(page, '3 flows in 3 processes');
      fake.log({ seq: 1, atMs: 1, level: 'warn', what: 'commit', message: 'slow' });
      const hashes = [
        '#/',
        '#/alerts',
        '#/log',
        ...TABS.map((tab) => `${chat}/${tab}`),
        '#/flow/orders-to-kafka/graph',
        '#/flow/orders-to-kafka/lanes',
      ];
      const found: string[] = [];
      for (const hash of hashes) {
        await go(page, hash);
        await page.waitForTimeout(300);
        found.push(...(await violations(page)).map((one) => `${hash} ${one}`));
      }
      await page.keyboard.press('?');
      await page.locator('dialog').waitFor();
      found.push(...(await violations(page)));
      expect(found).toEqual([]);
    },
    60_000,
  );

  it.each([320, 390, 760, 2_560])(
    'fits a width of %d: nothing but tables and tabs is scrolled sideways',
    async (width) => {
      const long = 'a-flow-whose-name-is-far-longer-than-any-that-a-sensible-person-would-think-of-in-a-hurry';
      const page = await open(snapshotOf([chatFlow(), { ...chatFlow(), name: long }]), {
        viewport: { width, height: 800 },
      });
      for (const hash of ['#/', '#/alerts', '#/log', ...TABS.map((tab) => `#/flow/${long}/${tab}`)]) {
        await go(page, hash);
        await page.waitForTimeout(100);
        expect([hash, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([hash, width]);
      }
    },
  );

  it('closes its stream while it is hidden', async () => {
    const page = await open();
    await sees(page, '3 flows in 3 processes');
    const hide = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await hide(true);
    while (fake.listening > 0) await page.waitForTimeout(20);
    await hide(false);
    while (fake.listening === 0) await page.waitForTimeout(20);
  });

  it('says that the process is gone, and goes on when it is back', async () => {
    const page = await open();
    await sees(page, '3 flows in 3 processes');
    const port = Number(new URL(page.url()).port);
    const before = fake;
    await before.stop();
    await sees(page, /No connection to collector-7d9f-x2x1\/1 since/);
    expect(await violations(page)).toEqual([]);
    fake = new FakeConsole(snapshotOf([quietFlow()], { peers: [] }));
    await fake.start(port);
    await page.getByRole('button', { name: 'Try now' }).click();
    await sees(page, '1 flow in 1 process');
    expect(await page.getByText(/No connection/).count()).toBe(0);
  });
});
