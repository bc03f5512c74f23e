import { describe, expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import { Monitor } from '../../../../src/core/monitor.js';
import type { ColumnTypes } from '../../../../src/formats/format.js';
import { jsonLines } from '../../../../src/formats/json-lines.js';
import { LEDGER_RULES } from '../../../../src/sinks/files/ledger/rules.js';
import { skipTo } from '../../../../src/sinks/files/ledger/skip.js';
import { LedgerStore } from '../../../../src/sinks/files/ledger/store.js';
import { memoryFileSystem } from '../../../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../../../support/virtual-time.js';
import { collect, ledgerOf, putEntry, STREAM, stored } from '../collecting.js';

/** A flow that writes columns of these types, after one that wrote others, or none. */
function started(before: ColumnTypes | undefined, now: ColumnTypes | undefined) {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', 1);
  kafka.produce('chat', 0, ['a', 'b']);
  const fs = memoryFileSystem();
  const format = (columns: ColumnTypes | undefined) => ({ ...jsonLines(), ...(columns !== undefined && { columns }) });
  const runs: ReturnType<typeof collect>[] = [];
  inVirtualTime((at) => {
    runs.push(collect(kafka, fs, { sink: { format: format(before) } }));
    at(1_000, () => runs[0]?.stop());
    at(2_000, () => {
      kafka.produce('chat', 0, ['c']);
      runs.push(collect(kafka, fs, { sink: { format: format(now) } }));
    });
    at(4_000, () => runs[1]?.stop());
  });
  expect(runs[0]?.ended).toBe('complete');
  return { second: runs[1] as ReturnType<typeof collect>, fs };
}

describe('the types of columns that the ledger keeps', () => {
  it('stop a flow at its start whose column has another type, and say which', () => {
    const { second, fs } = started({ id: 'int64', 'tags.element': 'string' }, { id: 'int64', 'tags.element': 'int32' });
    expect(second.ended).toBe('error');
    expect(second.error).toMatchObject({
      code: 'RXF_KAFKA_RESUME',
      retryable: false,
      cause: {
        code: 'RXF_LEDGER_COLUMN',
        details: { stream: STREAM, column: 'tags.element', was: 'string', is: 'int32' },
      },
      message: expect.stringContaining(
        'the column `tags.element` is int32, and the files of kafka:chat/0 have it as string, up to offset 2',
      ),
    });
    expect(ledgerOf(fs)).toEqual(['0-2(2)']);
    expect(stored(fs)).toEqual(['a', 'b']);
  });

  it.each<[string, ColumnTypes | undefined, ColumnTypes | undefined]>([
    ['are the same', { id: 'int64' }, { id: 'int64' }],
    ['are more', { id: 'int64' }, { id: 'int64', note: 'string' }],
    ['are fewer', { id: 'int64', toString: 'string' }, { id: 'int64' }],
    ['are named as a method', { id: 'int64' }, { id: 'int64', toString: 'string' }],
    ['were not kept', undefined, { id: 'int64' }],
    ['are no more', { id: 'int64' }, undefined],
  ])('let it go on where they %s', (_, before, now) => {
    const { second, fs } = started(before, now);
    expect(second.ended).toBe('complete');
    expect(stored(fs)).toEqual(['a', 'b', 'c']);
  });

  it('are kept when offsets are skipped', async () => {
    const fs = memoryFileSystem();
    putEntry(fs, { from: 0, next: 2, columns: { id: 'int64' } });
    const store = new LedgerStore(fs, '/lake', LEDGER_RULES);
    await lastValueFrom(skipTo(store, STREAM, 5, new Monitor()));
    expect(await lastValueFrom(store.newest(STREAM))).toMatchObject({ next: 5, columns: { id: 'int64' } });
  });

  it('are checked when they are read', async () => {
    const fs = memoryFileSystem();
    putEntry(fs, { from: 0, next: 2, columns: { id: 5 } as never });
    const newest = lastValueFrom(new LedgerStore(fs, '/lake', LEDGER_RULES).newest(STREAM));
    await expect(newest).rejects.toThrow('its `columns` are not the types of columns');
  });
});
