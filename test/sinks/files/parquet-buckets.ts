// Rows with a text of their own to 128 buckets that stay open, as fast as the sink takes them within the source's default window. Prints
// the peak of its memory. Run by parquet-memory.proof.test.ts, in a process of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import type { Acker, FlushSignal } from '../../../src/delivery/acker.js';
import { Delivery } from '../../../src/delivery/delivery.js';
import { localDisk } from '../../../src/drivers/local-disk/index.js';
import { column, parquet } from '../../../src/formats/parquet/index.js';
import { fileSink, KAFKA_SOURCE_DEFAULTS } from '../../../src/index.js';

const [rows = 0] = process.argv.slice(2).map(Number);
const BUCKETS = 128;
const ROW_BYTES = 300;
const { count, bytes } = KAFKA_SOURCE_DEFAULTS.window;
const window = Math.min(count, Math.floor(bytes / ROW_BYTES));

/** Counts what is out, and lets more in when enough was released. */
class CountingAcker implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  out = 0;
  acked = 0;
  failed: unknown;
  ack(first: number, next: number): void {
    this.acked += next - first;
  }
  nack(_: number, __: number, cause: unknown): void {
    this.failed = cause;
  }
  release(first: number, next: number): void {
    this.out -= next - first;
  }
  hold(): void {}
}

const root = mkdtempSync(join(tmpdir(), 'rxflume-buckets-'));
const schema = { n: column.int64(), bucket: column.string(), text: column.string() };
const sink = fileSink<{ n: number; bucket: string; text: string }>(localDisk({ fsync: 'never' }), {
  root,
  path: ({ bucket }) => `b=${bucket}`,
  format: parquet({ schema }),
});
const acker = new CountingAcker();
const values$ = new Subject<Delivery<{ n: number; bucket: string; text: string }>>();
let files = 0;
const ended = new Promise<void>((resolve, reject) => {
  sink
    .write()(values$)
    .subscribe({ next: () => (files += 1), error: reject, complete: resolve });
});
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Text that no dictionary and no compression makes small. */
function noise(n: number): string {
  let [text, state] = ['', n + 1];
  while (text.length < ROW_BYTES - 50) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(36);
  }
  return text;
}

try {
  for (let n = 0; n < rows && acker.failed === undefined; n += 1) {
    while (acker.out >= window && acker.failed === undefined) {
      acker.flush$.next('release');
      await turn();
    }
    acker.out += 1;
    const origin = { stream: 'kafka:chat/0', offset: n, epoch: 0, byteLength: ROW_BYTES };
    values$.next(new Delivery({ n, bucket: String((n * 7) % BUCKETS), text: noise(n) }, origin, acker, n));
    // As many as a fetch brings.
    if (n % 2_000 === 0) await turn();
  }
  values$.complete();
  await ended;
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
  console.log(JSON.stringify({ peakMiB, acked: acker.acked, files, failed: String(acker.failed) }));
} finally {
  rmSync(root, { recursive: true, force: true });
}
