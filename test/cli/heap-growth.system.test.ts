import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { root, rxflume } from './child.js';

// In the repository, where `rxflume` is found.
const file = join(root, 'test/cli', `.heap-growth-${process.pid}.ts`);
afterAll(() => rmSync(file, { force: true }));

/** A flow of one record that prints each flag of V8 that is set while it runs. */
writeFileSync(
  file,
  `import { syncBuiltinESMExports } from 'node:module';
import v8 from 'node:v8';
import { flow, nullSink } from 'rxflume';
import { fromObservable$ } from 'rxflume/inputs';
import { of } from 'rxjs';

v8.setFlagsFromString = (flag) => console.log('set ' + flag);
syncBuiltinESMExports();
export default flow('growth', fromObservable$(of(1), { name: 'one' }), nullSink().write());
`,
);

it('lets the heap of a flow grow while it runs, and leaves it to V8 then', async () => {
  const { code, stdout, stderr } = await rxflume(['run', file]);
  expect([code, stderr]).toEqual([0, '']);
  const set = stdout.split('\n').filter((line) => line.startsWith('set '));
  expect(set.length).toBeGreaterThanOrEqual(2);
  expect(set[0]).toMatch(/^set --heap-growing-percent=[1-9]\d*$/);
  expect(set.at(-1)).toBe('set --heap-growing-percent=0');
}, 60_000);
