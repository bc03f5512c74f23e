import { describe, expect, it } from '@jest/globals';
import { concatMap, firstValueFrom, type Observable } from 'rxjs';
import { Monitor } from '../../../../src/core/monitor.js';
import { auditLedger } from '../../../../src/sinks/files/ledger/audit.js';
import { readLedger } from '../../../../src/sinks/files/ledger/reading.js';
import { LEDGER_RULES } from '../../../../src/sinks/files/ledger/rules.js';
import { skipTo } from '../../../../src/sinks/files/ledger/skip.js';
import { LedgerStore } from '../../../../src/sinks/files/ledger/store.js';
import { ledgerPath, temporaryPath } from '../../../../src/sinks/files/names.js';
import { type MemoryFileSystem, memoryFileSystem } from '../../../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../../../support/virtual-time.js';
import { collect, ledgerOf, put, putEntry, STREAM, stored } from '../collecting.js';

function skip(fs: MemoryFileSystem, to: number, stream = STREAM): Observable<{ from: number; next: number }> {
  return skipTo(new LedgerStore(fs, '/lake', LEDGER_RULES), stream, to, new Monitor());
}

const failure = (skipping: Observable<unknown>) =>
  firstValueFrom(skipping).then(
    () => null,
    (error: unknown) => error,
  );

describe('skipping what a source no longer has', () => {
  it('lets a flow go on that retention has overtaken, and its error says how', () =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat', 1);
      kafka.produce('chat', 0, [...'abcdefgh']);
      kafka.deleteBelow('chat', 0, 5);
      const fs = memoryFileSystem();
      putEntry(fs, { from: 0, next: 2 });
      const before = collect(kafka, fs);
      const run = { after: before, skipped: {} };
      at(300, () => {
        expect(before.error).toMatchObject({ code: 'RXF_KAFKA_DATA_LOST' });
        expect(before.error?.message).toContain('`rxflume ledger <root> --stream kafka:chat/0 --skip-to 5`');
        expect(before.error?.message).not.toContain('--reset-offsets');
        skip(fs, 5).subscribe((skipped) => {
          run.skipped = skipped;
        });
      });
      at(310, () => {
        run.after = collect(kafka, fs);
      });
      at(600, () => run.after.stop());
      at(900, () => {
        expect([run.skipped, run.after.ended]).toEqual([{ from: 2, next: 5 }, 'complete']);
        expect(stored(fs)).toEqual([...'fgh']);
        expect(ledgerOf(fs)).toEqual(['0-2(0)', '2-5(0)', '5-8(3)']);
        expect(kafka.committed('lake', 'chat', 0)).toBe(8);
        readLedger(fs, '/lake', STREAM)
          .pipe(concatMap((read) => [auditLedger(read)]))
          .subscribe(({ problems, skipped }) => {
            expect([problems, skipped]).toMatchObject([[], [{ from: 2, next: 5 }]]);
          });
      });
      expect.hasAssertions();
    }));

  it('first makes visible what the newest entry has committed', async () => {
    const fs = memoryFileSystem();
    const temporary = temporaryPath('/lake', STREAM, 0, 'others-0', 0);
    const final = 'kafka+chat~0+0000000000000000+0000000000000000+others-0-0.jsonl';
    put(fs, temporary, '"a"\n');
    putEntry(fs, {
      from: 0,
      next: 1,
      files: [{ temporary: temporary.slice(6), final, bytes: 4, values: 1, first: 0, last: 0 }],
    });
    await firstValueFrom(skip(fs, 9));
    expect([stored(fs), ledgerOf(fs)]).toEqual([['a'], ['0-1(1)', '1-9(0)']]);
  });

  it('gives way to a writer that commits from there', async () => {
    const fs = memoryFileSystem();
    putEntry(fs, { from: 0, next: 2 });
    const rename = fs.rename.bind(fs);
    Object.assign(fs, {
      rename: (from: string, to: string) => {
        Object.assign(fs, { rename });
        putEntry(fs, { from: 2, next: 3, writer: 'quicker-1' });
        return rename(from, to);
      },
    });
    expect(await failure(skip(fs, 5))).toMatchObject({ code: 'RXF_LEDGER_FENCED' });
    expect(ledgerOf(fs)).toEqual(['0-2(0)', '2-3(0)']);
  });

  it.each([2, 1])('rejects an offset that is not beyond the ledger: %s', async (to) => {
    const fs = memoryFileSystem();
    putEntry(fs, { from: 0, next: 2 });
    const error = await failure(skip(fs, to));
    expect(error).toMatchObject({ code: 'RXF_OPTION_INVALID', message: expect.stringContaining('ends at 2') });
    expect(ledgerOf(fs)).toEqual(['0-2(0)']);
  });

  it('rejects a stream without a ledger, and one whose newest entry is damaged', async () => {
    const fs = memoryFileSystem();
    expect(await failure(skip(fs, 5))).toMatchObject({ message: expect.stringContaining('has no entry') });
    put(fs, ledgerPath('/lake', STREAM, 0), '{"version":1,');
    expect(await failure(skip(fs, 5))).toMatchObject({ code: 'RXF_LEDGER_DAMAGED' });
  });
});
