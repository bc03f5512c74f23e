import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';

import { startChromium } from '../console/chromium.js';
import { freePort } from './prometheus.js';
import { StallingProxy } from './stalling-proxy.js';
import {
  brokers,
  type Command,
  committed,
  createTopic,
  dataNode,
  fresh,
  nameNode,
  produce,
  produceRaw,
  readNumbers,
  root,
  runFlow,
} from './support.js';

jest.setTimeout(170_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-console-'));
const commands: Command[] = [];
let browser: Browser;
let proxy: StallingProxy | undefined;

beforeAll(async () => {
  browser = await startChromium();
}, 60_000);

afterAll(async () => {
  for (const { child } of commands) child.kill('SIGKILL');
  await browser?.close();
  await proxy?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Records of 10 KB for each of two partitions: what the system's buffers hold is soon full. */
async function produceLarge(topic: string, from: number, to: number): Promise<void> {
  const text = 'Where is my order? '.repeat(530);
  for (let first = from; first < to; first += 50) {
    const messages = Array.from({ length: 50 }, (_, at) => ({
      partition: at % 2,
      value: JSON.stringify({ n: first + at, text }),
    }));
    await produceRaw(topic, messages);
  }
}

/** The link that the command printed, which works once. */
async function linkOf(command: Command): Promise<string> {
  await command.until('console.listening');
  for (let tries = 0; tries < 100; tries += 1) {
    const link = /http:\/\/\S+#token=\S+/.exec(command.output())?.[0];
    if (link !== undefined) return link;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no link in: ${command.output()}`);
}

/** Waits for a text; a failure says what the page shows instead. */
async function sees(page: Page, text: string | RegExp, timeout = 30_000): Promise<void> {
  try {
    await page.getByText(text).first().waitFor({ timeout });
  } catch {
    throw new Error(`The page does not show ${text}, but: ${await page.locator('body').textContent()}`);
  }
}

const go = (page: Page, hash: string) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);

describe('the console of two processes, from Kafka to HDFS', () => {
  it('shows both, finds a stall, makes a passing test of a tap, shows the alert, and drains', async () => {
    const topic = fresh('console');
    await createTopic(topic, 2);
    const node = await dataNode();
    proxy = await StallingProxy.start(node.hostname, Number(node.port));
    const password = join(folder, 'password');
    writeFileSync(password, 'a-password-of-the-test\n');
    const env = {
      TEST_TOPIC: topic,
      TEST_GROUP: topic,
      TEST_ROOT: `/lake/${topic}`,
      TEST_ROLL_MS: '2000',
      TEST_WINDOW: '500',
      TEST_COMPRESSION: 'none',
      TEST_HOST_MAP: JSON.stringify({ [node.host]: proxy.address }),
      TSX_TSCONFIG_PATH: `${root}tsconfig.json`,
    };
    const [port, other] = [await freePort(), await freePort()];
    const consoleAt = (name: string, own: number, peer: number) => [
      ...['--console', `127.0.0.1:${own}`, '--console-name', name, '--console-password-file', password],
      ...['--console-peers', `http://127.0.0.1:${peer}/`],
    ];
    const run = (...options: string[]) => {
      const command = runFlow('test/live/flows/numbered.ts', env, ...options);
      commands.push(command);
      return command;
    };
    const first = run(...consoleAt('first', port, other), '--alerts', 'test/live/flows/console-alerts.ts');
    const second = run(...consoleAt('second', other, port));
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        faults.push(message.text());
    });

    // Two processes on one page.
    await page.goto(await linkOf(first));
    await sees(page, '2 flows in 2 processes');
    await sees(page, 'second');
    await second.until('kafka.assigned');
    await go(page, '#/flow/numbered/graph');
    await page.locator('.part').nth(3).waitFor();

    // A tap, as a test that passes.
    await page.getByTitle('Tap from 1 decode to 2 mapValue').click();
    await page.getByRole('button', { name: 'Start the tap' }).click();
    await sees(page, 'Waiting for the first value that passes.');
    for (let n = 0; (await page.locator('pre').count()) < 5; n += 20) {
      await produce(topic, n, n + 20, 2);
      if (n > 2_000) throw new Error('nothing was tapped');
      await page.waitForTimeout(300);
    }
    expect(await page.locator('pre').first().textContent()).toMatch(/"text":\s*"Where is my order\? /);
    await page.getByRole('button', { name: 'Copy as a marble test' }).click();
    const test = join(folder, 'tapped.test.ts');
    writeFileSync(test, await page.locator('textarea').inputValue());
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Stop' }).click();
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--test', test], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH: `${root}tsconfig.json` },
    });
    expect(stdout).toMatch(/# pass 1\n# fail 0/);

    // A stall: HDFS takes nothing, and the system's buffers are full.
    await go(page, '#/flow/numbered/files');
    await page.locator('tbody tr').first().waitFor({ timeout: 30_000 });
    proxy.stall();
    await produceLarge(topic, 10_000, 13_000);
    await go(page, '#/flow/numbered/graph');
    const culprit = page.locator('.part.is-culprit');
    await culprit.waitFor({ timeout: 40_000 });
    expect(await culprit.textContent()).toMatch(/^sink/);
    await sees(page, /is what the others wait for: .* unanswered for/);
    await go(page, '#/flow/numbered/lanes');
    await page.locator('.lane').first().getByRole('button').click();
    await sees(page, /is in flight, in the sink/);
    await page.keyboard.press('Escape');
    await go(page, '#/alerts');
    await page.locator('.alert.bad').first().waitFor({ timeout: 40_000 });
    expect(await page.locator('.alert.bad').allTextContents()).toContainEqual(
      expect.stringMatching(/^firing DataTooOld|^firing NoProgress/),
    );

    // Healed: all of it is committed.
    proxy.resume();
    await go(page, '#/flow/numbered/graph');
    await culprit.waitFor({ state: 'detached', timeout: 40_000 });

    // Drained by the button, and the process ends.
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Drain' }).click();
    expect(await first.ended).toBe(0);
    await sees(page, /No connection to first since/);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(await committed(topic, topic)).toBeGreaterThanOrEqual(3_000);
    expect(faults).toEqual([]);
  });
});

describe('dead letters in the console, from Kafka to HDFS', () => {
  it('are edited, tried and replayed once through the flow that runs', async () => {
    const topic = fresh('console-dlq');
    await createTopic(topic, 1);
    const values = [1, 2, 'many', 4, 'none'];
    await produceRaw(
      topic,
      values.map((n) => ({ partition: 0, value: JSON.stringify({ n, password: 'hunter2' }) })),
    );
    const env = {
      ...{ TEST_BROKERS: brokers.join(','), TEST_NAMENODE: nameNode, TEST_TOPIC: topic, TEST_ROOT: `/${topic}` },
      ...{ HADOOP_USER_NAME: 'hdfs', TSX_TSCONFIG_PATH: `${root}tsconfig.json` },
    };
    const bad = `${nameNode.replace(/^http/, 'webhdfs')}/${topic}/bad`;
    const options = ['--console', '127.0.0.1:0', '--console-dead-letters', bad];
    const command = runFlow('test/live/flows/dead-letters.ts', env, ...options);
    commands.push(command);
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
    await page.goto(await linkOf(command));
    await go(page, '#/flow/numbers/dead-letters');
    await sees(page, /none fits/);
    await page.locator('tbody tr').first().waitFor({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Roll now' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Roll now' }).click();
    for (let tries = 0; (await page.locator('pre').count()) < 2; tries += 1) {
      if (tries > 60) throw new Error(`no dead letters: ${await page.locator('body').textContent()}`);
      await page.getByRole('button', { name: 'Find' }).click();
      await page.waitForTimeout(500);
    }
    expect(await page.locator('pre').allTextContents()).toEqual([
      '{"n":"many","password":"[redacted]"}',
      '{"n":"none","password":"[redacted]"}',
    ]);
    await page.getByRole('button', { name: 'Edit and replay' }).first().click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await sees(page, "Today's flow: 1 set aside");
    await page.getByLabel('Value', { exact: true }).fill('{"n":3}');
    await page.getByRole('button', { name: 'Preview' }).click();
    await sees(page, "Today's flow: 1 stored");
    expect([...(await readNumbers(`/${topic}/lake`)).keys()].sort()).toEqual([1, 2, 4]);
    await page.locator('dialog').getByRole('button', { name: 'Replay' }).click();
    await sees(page, 'Replayed 1 dead letters through flow numbers.');
    await sees(page, /1 waiting, 1 replayed/);
    expect([...(await readNumbers(`/${topic}/lake`))].sort()).toEqual([1, 2, 3, 4].map((n) => [n, 1]));
    await page.getByRole('button', { name: 'Drop all 1' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Drop' }).click();
    await sees(page, /1 replayed, 1 dropped/);
    command.child.kill('SIGTERM');
    expect(await command.ended).toBe(0);
  });
});
