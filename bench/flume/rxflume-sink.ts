// rxflume as the sender to one agent: of so many events made here, or of the lines of a file.
import { flow, flumeSink } from 'rxflume';
import { avroRpcClient } from 'rxflume/drivers/avro-rpc';
import { lines, made } from './sources.js';

const [what = '', port = ''] = process.argv.slice(2);
const agent = flumeSink(avroRpcClient({ agents: [`127.0.0.1:${port}`] }), {
  batch: { count: 1_000 },
  order: 'none',
  maxInFlight: 2,
});
// Lives until it is measured and killed.
setInterval(() => undefined, 60_000);
flow('bench', /^\d+$/.test(what) ? made(Number(what)) : lines(what), agent.write()).subscribe({
  error: (error) => {
    console.error(error);
    process.exit(1);
  },
});
