/** A program that opens a log, says whether it got it, and keeps it until it is killed. */
import { embeddedLog } from '../../../src/drivers/embedded-log/index.js';

const log = embeddedLog({ folder: process.argv[2] as string, topics: ['chat'] });
log.append('chat', [`of ${process.pid}`]).then(
  () => process.stdout.write('held\n'),
  ({ code }: { code: string }) => process.stdout.write(`${code}\n`, () => process.exit(1)),
);
setInterval(() => undefined, 1_000);
