import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** What `rxflume init` can be asked for: each source with each sink. */
export const CHOICES = ['kafka', 'rabbitmq', 'flume'].flatMap((source) =>
  ['hdfs', 'files', 'kafka', 'rabbitmq', 'http', 'console'].map((sink) => [source, sink] as const),
);

/** The lines of all gzip files below a folder. */
export function storedLines(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    name.endsWith('.gz'),
  );
  return files.flatMap(({ parentPath, name }) => {
    const text = gunzipSync(readFileSync(join(parentPath, name))).toString();
    return text.trim().split('\n');
  });
}
