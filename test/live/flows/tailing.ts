// What the live test of tailSource runs: two logs, rotated in two ways, into HDFS.
import { fileSink, flow, text } from 'rxflume';
import { localFiles } from 'rxflume/drivers/local-disk';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { tailSource } from 'rxflume/inputs';

const env = (name: string) => process.env[name] ?? '';
const folder = env('TEST_FOLDER');

const hostMap = JSON.parse(env('TEST_HOST_MAP') || '{}') as Record<string, string>;
const requestTimeoutMs = Number(env('TEST_REQUEST_MS') || '30000');

const hdfs = webhdfs({ nameNodes: env('TEST_HDFS').split(','), user: 'flume', hostMap, requestTimeoutMs });
const lake = fileSink(hdfs, {
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
