import { fileSink, text } from 'rxflume';
import { localDisk } from 'rxflume/drivers/local-disk';
import { lineRecords, spoolSource } from 'rxflume/inputs';

/** A collector from a spool folder to files of the same disk, to be killed: both below the folder that it is given. */
const [, , root = ''] = process.argv;
const disk = localDisk({ root });
const lake = fileSink<Buffer>(disk, { root: '/lake', format: text(), roll: { count: 500 } });
spoolSource(disk, {
  name: 'kill',
  folder: '/in',
  records: lineRecords(),
  pollIntervalMs: 50,
  unchangedForMs: 50,
  window: { count: 700 },
  resumeFrom: lake.offsetStore,
})
  .pipe(lake.write())
  .subscribe({ next: () => process.stdout.write('.'), error: (error: unknown) => process.stderr.write(`${error}\n`) });
