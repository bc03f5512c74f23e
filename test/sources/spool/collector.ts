import { type Format, fileSink, jsonLines, text } from 'rxflume';
import { localDisk } from 'rxflume/drivers/local-disk';
import { lineRecords, spoolSource } from 'rxflume/inputs';
import { parquetRecords } from 'rxflume/inputs/parquet';

/** A collector from a spool folder of lines, or of Parquet files, to files of the same disk, to be killed: both below the folder that it is given. */
const [, , root = '', kind = 'lines'] = process.argv;
const isParquet = kind === 'parquet';
const disk = localDisk({ root });
const lake = fileSink<unknown>(disk, {
  root: '/lake',
  format: (isParquet ? jsonLines() : text()) as Format<unknown>,
  roll: { count: 500 },
});
spoolSource<unknown>(disk, {
  name: 'kill',
  folder: '/in',
  records: isParquet ? parquetRecords() : lineRecords(),
  pollIntervalMs: 50,
  unchangedForMs: 50,
  window: { count: 700 },
  resumeFrom: lake.offsetStore,
})
  .pipe(lake.write())
  .subscribe({ next: () => process.stdout.write('.'), error: (error: unknown) => process.stderr.write(`${error}\n`) });
