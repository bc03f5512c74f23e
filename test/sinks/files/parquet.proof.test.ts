import { describe, expect, it } from '@jest/globals';
import { parquetMetadata, parquetSchema } from 'hyparquet';
import { readColumn } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import { filterValue, inFlightWindow, mapValue, retryConnect } from '../../../operators/index.js';
import { flow } from '../../../src/flow/flow.js';
import { column, parquet } from '../../../src/formats/parquet/index.js';
import { fileSink } from '../../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import { type BuildCollector, proveExactlyOnce } from '../../../src/testing/index.js';
import { CHAT, SOURCE_OPTIONS } from './trial-flows.js';

/** Row groups of two, three or fewer rows, several to a file, and two buckets. */
const collect: BuildCollector = ({ kafka, fs, monitor }) => {
  const lake = fileSink<{ readonly name: string; readonly n: number }>(fs, {
    root: '/lake',
    path: ({ n }) => `odd=${n % 2}`,
    format: parquet({
      schema: { name: column.string(), n: column.int32() },
      rowGroup: { count: 3, maxWaitMs: 20 },
      maxBufferedBytes: 60,
    }),
    roll: { intervalMs: 60, count: 5 },
    monitor,
  });
  return flow(
    'parquet',
    kafkaSource(kafka, { ...SOURCE_OPTIONS, resumeFrom: lake.offsetStore, monitor }).pipe(
      retryConnect({ firstDelayMs: 10, monitor }),
    ),
    mapValue((value) => ({ name: String(value), n: Number(String(value).slice(1)) })),
    filterValue(({ n }) => n % 10 !== 3),
    inFlightWindow({ count: 6 }),
    lake.write(),
  );
};

/** The names in a whole file, by a reader that is not ours. A proof has no time that passes, so not by its promises. */
function names(bytes: Uint8Array): string[] {
  const file = Uint8Array.prototype.slice.call(bytes).buffer as ArrayBuffer;
  const metadata = parquetMetadata(file);
  const found = metadata.row_groups.flatMap(({ columns, num_rows }) => {
    const facts = columns[0]?.meta_data;
    if (facts === undefined) throw new Error('a column without metadata');
    const schemaPath = getTreePath(parquetSchema(metadata), facts.path_in_schema);
    const start = Number(facts.dictionary_page_offset ?? facts.data_page_offset);
    const view = new DataView(file, start, Number(facts.total_compressed_size));
    const rows = Number(num_rows);
    const { data } = readColumn(
      { view, offset: 0 },
      { groupStart: 0, selectStart: 0, selectEnd: rows, groupRows: rows },
      {
        ...facts,
        pathInSchema: facts.path_in_schema,
        schemaPath,
        element: schemaPath[1]?.element ?? { name: '' },
        parsers: DEFAULT_PARSERS,
      },
    );
    return data.flatMap((chunk) => Array.from(chunk, String));
  });
  if (found.length !== Number(metadata.num_rows)) throw new Error(`${found.length} of ${metadata.num_rows} rows`);
  return found;
}

describe('Parquet files with a ledger, whatever dies, sleeps, is late or is repeated', () => {
  it('hold each value once, and are whole when they are visible', () => {
    const report = proveExactlyOnce(collect, CHAT, {
      schedules: 300,
      singleFaults: 'none',
      seed: 21,
      readLines: names,
    });
    expect(report).toMatchObject({ lines: 18, commits: 'checked' });
    expect(report.faults.crash).toBeGreaterThan(20);
  });
});
