import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

it('holds 128 buckets of Parquet open within 512 MiB, whatever is written', async () => {
  const program = join(import.meta.dirname, 'parquet-buckets.ts');
  const args = ['--import', 'tsx', program, '600000'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 280_000 });
  const { peakMiB, ...rest } = JSON.parse(stdout) as { peakMiB: number };
  expect(rest).toEqual({ acked: 600_000, files: 128, failed: 'undefined' });
  // With what the loader of TypeScript takes; and without room for what grows with each row.
  expect(peakMiB).toBeLessThan(450);
}, 300_000);
