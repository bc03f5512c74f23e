// node --import tsx test/console/screenshots.ts: makes the pictures of the console in docs/guides anew, of simulated flows.
import { join } from 'node:path';

import { startChromium } from './chromium.js';
import { FakeConsole, TOKEN } from './fake-console.js';
import { chatFlow, quietFlow, snapshotOf } from './simulated-flows.js';

const folder = join(import.meta.dirname, '../../docs/guides');
const PICTURES = [
  { name: 'console-graph-light', colorScheme: 'light', viewport: { width: 1_200, height: 520 }, tab: 'graph' },
  { name: 'console-lanes-dark', colorScheme: 'dark', viewport: { width: 1_200, height: 720 }, tab: 'lanes' },
  { name: 'console-phone', colorScheme: 'light', viewport: { width: 390, height: 780 }, tab: 'lanes' },
] as const;

const fake = new FakeConsole(snapshotOf([chatFlow(0, 8, 2), quietFlow()]));
const browser = await startChromium();
try {
  const url = await fake.start();
  for (const { name, colorScheme, viewport, tab } of PICTURES) {
    const page = await (await browser.newContext({ colorScheme, viewport })).newPage();
    await page.goto(`${url}#token=${TOKEN}`);
    await page.getByText('3 flows in 3 processes').waitFor();
    await page.evaluate(`location.hash = '#/flow/chat-to-lake/${tab}'`);
    await page.locator('.part, .lane').first().waitFor();
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }
} finally {
  await browser.close();
  await fake.stop();
}
