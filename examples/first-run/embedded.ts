// npm start: needs nothing but Node. The broker is a log on the local disk, the lake a folder.
import { resolve } from 'node:path';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { localDisk } from 'rxflume/drivers/local-disk';
import { chatFlow, TOPIC } from './chat-flow.js';
import { reportedFeed } from './reported-feed.js';

const warehouse = resolve('warehouse');
const log = embeddedLog({ folder: resolve('.rxflume/first-run'), topics: [TOPIC] });

const feed$ = reportedFeed(
  log,
  `The files land in ${warehouse}; read one with: zcat warehouse/dt=*/lang=en/*.gz | head`,
);

export default chatFlow(log, localDisk(), warehouse, feed$);
