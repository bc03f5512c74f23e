// npm start: needs nothing but Node. The broker is a log on the local disk, the lake a folder.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultMonitor } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { localDisk } from 'rxflume/drivers/local-disk';
import { concat, NEVER, of, tap } from 'rxjs';
import { chatFlow, TOPIC } from './chat-flow.js';
import { feed } from './feed.js';

const warehouse = resolve('warehouse');
const log = embeddedLog({ folder: resolve('.rxflume/first-run'), topics: [TOPIC] });

const look = {
  level: 'info',
  what: 'look',
  message: `The files land in ${warehouse}; read one with: zcat warehouse/dt=*/lang=en/*.gz | head`,
} as const;
const fed$ = feed(log, {
  file: fileURLToPath(new URL('../data/chat.jsonl', import.meta.url)),
  topic: TOPIC,
  httpPort: Number(process.env.FIRST_RUN_PORT ?? 8089),
  messagesPerSecond: Number(process.env.FIRST_RUN_RATE ?? 5),
  stop$: NEVER,
});
const feed$ = concat(of(look), fed$).pipe(
  tap(({ level, what, message }) => defaultMonitor.notice(level, what, message)),
);

export default chatFlow(log, localDisk(), warehouse, feed$);
