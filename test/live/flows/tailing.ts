// What the live test of tailSource runs: two logs, rotated in two ways, into HDFS.
import { fileSink, flow, text } from 'rxflume';
import { localFiles } from 'rxflume/drivers/local-disk';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { tailSource } from 'rxflume/inputs';

const env = (name: string) => process.env[name] ?? '';
const folder = env('TEST_FOLDER');

const lake = fileSink(webhdfs({ nameNodes: [env('TEST_HDFS')], user: 'flume' }), {
  root: env('TEST_ROOT'),
  path: () => 'mod=0',
  format: text({ compression: 'gzip' }),
  roll: { intervalMs: 1_000 },
});

export default flow(
  'tailing',
  tailSource(localFiles(), {
    paths: [`${folder}/app.log`, `${folder}/app.log.{[0-9],[0-9][0-9]}`, `${folder}/cut.log`],
    positionFile: `${folder}/state/positions.json`,
    resumeFrom: lake.offsetStore,
    saveIntervalMs: 200,
  }),
  lake.write(),
);
