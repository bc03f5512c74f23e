// Follows the files that match the pattern, acks each line, and ends after so many. Prints what it used.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { take } from 'rxjs';
import { localFiles } from '../../src/drivers/local-disk/index.js';
import { tailSource } from '../../src/inputs/index.js';
import { startMeasure } from '../lab/measure.js';

const [pattern = '', lines = '0'] = process.argv.slice(2);
const state = mkdtempSync(join(tmpdir(), 'rxf-bench-'));
const measured = startMeasure();
const source = tailSource(localFiles(), { paths: [pattern], positionFile: join(state, 'positions.json') });
source.pipe(take(Number(lines))).subscribe({
  next: (delivery) => delivery.ack(),
  error: (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
  complete: () => {
    measured(Number(lines));
    rmSync(state, { recursive: true, force: true });
  },
});
