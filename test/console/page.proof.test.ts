import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, CDPSession, Page } from 'playwright-core';

import { startChromium } from './chromium.js';
import { FakeConsole, TOKEN } from './fake-console.js';
import { chatFlow, historyOf, snapshotOf } from './simulated-flows.js';

let browser: Browser;
let fake: FakeConsole;

beforeAll(async () => {
  browser = await startChromium();
}, 60_000);
afterAll(() => browser.close());
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await fake.stop();
});

async function open(partitions: number, operators: number): Promise<{ page: Page; devtools: CDPSession }> {
  fake = new FakeConsole(snapshotOf([chatFlow(0, partitions, operators)]));
  fake.history = historyOf('chat-to-lake');
  fake.answers.set('POST api/taps', { status: 201, body: { id: 't1' } });
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
  await page.goto(`${await fake.start()}#token=${TOKEN}`);
  await page.getByText('2 flows in 3 processes').waitFor();
  return { page, devtools: await page.context().newCDPSession(page) };
}

const go = (page: Page, tab: string) => page.evaluate(`location.hash = '#/flow/chat-to-lake/${tab}'`);
const drawn = (page: Page) => page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');

/** Bytes of the heap after a collection, and nodes of the document. */
async function kept(devtools: CDPSession): Promise<{ bytes: number; nodes: number }> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.send('Performance.enable');
  const { metrics } = await devtools.send('Performance.getMetrics');
  return { bytes: usedSize, nodes: metrics.find(({ name }) => name === 'Nodes')?.value ?? Number.NaN };
}

describe('the page', () => {
  it('does not grow in an hour of snapshots, log lines and tapped values', async () => {
    const { page, devtools } = await open(8, 3);
    await go(page, 'tap');
    await page.getByRole('button', { name: 'Start the tap' }).click();
    await page.getByText('Waiting for the first value').waitFor();
    const views = ['graph', 'lanes', 'partitions', 'charts', 'tap'];
    let seq = 0;
    /** As a quarter of an hour, four updates a second, in each view for a while. */
    const run = async (updates: number) => {
      for (let done = 0; done < updates; done += 1) {
        seq += 1;
        fake.send(snapshotOf([chatFlow(seq)]));
        fake.log({ seq, atMs: seq, level: 'info', what: 'progress', message: `line ${seq}` });
        fake.tapped({
          tap: 't1',
          atMs: seq,
          stream: 'kafka:chat/0',
          offset: seq,
          text: `${seq} `.repeat(100),
          cut: false,
          redacted: false,
        });
        if (seq % 24 === 0) await drawn(page);
        if (seq % 720 === 0) await go(page, views[(seq / 720) % views.length] as string);
      }
    };
    await run(3_600);
    await drawn(page);
    const before = await kept(devtools);
    await run(3 * 3_600);
    await drawn(page);
    const after = await kept(devtools);
    expect(await page.evaluate('location.hash')).toBe('#/flow/chat-to-lake/graph');
    console.log(`heap ${before.bytes} → ${after.bytes}, nodes ${before.nodes} → ${after.nodes}`);
    expect(after.bytes - before.bytes).toBeLessThan(1_500_000);
    expect(after.nodes - before.nodes).toBeLessThan(500);
  }, 180_000);

  it('stays smooth with 300 partitions and 50 operators', async () => {
    const { page, devtools } = await open(300, 50);
    await devtools.send('Performance.enable');
    const busySeconds = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
    };
    const shares: Record<string, number> = {};
    let tick = 0;
    for (const tab of ['graph', 'lanes', 'partitions', 'files']) {
      await go(page, tab);
      await page.waitForTimeout(700);
      await page.evaluate(`window.long = []; window.watch?.disconnect();
        window.watch = new PerformanceObserver((list) => window.long.push(...list.getEntries().map(({ duration }) => duration)));
        window.watch.observe({ type: 'longtask' })`);
      const before = await busySeconds();
      for (let update = 0; update < 16; update += 1) {
        tick += 1;
        fake.send(snapshotOf([chatFlow(tick, 300, 50)]));
        await page.waitForTimeout(250);
      }
      const long = (await page.evaluate('window.long')) as number[];
      shares[tab] = (await busySeconds()) - before;
      expect([tab, Math.max(0, ...long) < 200]).toEqual([tab, true]);
    }
    console.log(shares);
    for (const [tab, seconds] of Object.entries(shares)) expect([tab, seconds < 2]).toEqual([tab, true]);
    expect(await page.locator('tbody tr').count()).toBeLessThan(60);
  }, 120_000);
});
