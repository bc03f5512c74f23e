import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What an image is to run, and as whom. */
export interface Image {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly user: string;
}

/**
 * Carries out a Dockerfile in folders of this machine, a folder for each stage: the same commands on the same files, without an engine
 * and without the images that it begins with.
 */
export async function carryOut(dockerfile: string, context: string, into: string): Promise<Image> {
  const ignored = readFileSync(`${dockerfile}/.dockerignore`, 'utf8').split('\n').filter(isStatement);
  const text = readFileSync(`${dockerfile}/Dockerfile`, 'utf8').replaceAll('\\\n', ' ');
  const stages = new Map<string, string>();
  let image: Image = { folder: '', env: {}, command: [], user: '' };
  for (const line of text.split('\n').filter(isStatement)) {
    const [word, ...rest] = line.split(/\s+/) as [string, ...string[]];
    const own = image.folder;
    if (word === 'FROM') {
      const name = rest[2] ?? 'last';
      image = { folder: join(into, name), env: {}, command: [], user: '' };
      mkdirSync(image.folder, { recursive: true });
      stages.set(name, image.folder);
    } else if (word === 'ENV') {
      image = { ...image, env: { ...image.env, ...Object.fromEntries(rest.map((pair) => pair.split('='))) } };
    } else if (word === 'COPY') {
      const [from] = rest.filter((part) => part.startsWith('--from=')).map((part) => part.slice('--from='.length));
      const paths = rest.filter((part) => !part.startsWith('--'));
      copy(from === undefined ? context : (stages.get(from) ?? from), own, paths, from === undefined ? ignored : []);
    } else if (word === 'RUN') {
      await run('sh', ['-ec', rest.join(' ')], { cwd: own, env: { ...process.env, NODE_OPTIONS: '', ...image.env } });
    } else if (word === 'USER') {
      image = { ...image, user: rest.join(' ') };
    } else if (word === 'CMD') {
      image = { ...image, command: JSON.parse(rest.join(' ')) as string[] };
    } else if (!['WORKDIR', 'EXPOSE'].includes(word)) {
      throw new Error(`The test does not know ${word}`);
    }
  }
  return image;
}

function isStatement(line: string): boolean {
  return line.trim() !== '' && !line.startsWith('#');
}

/** All stages work in one folder, `/app`. */
function copy(from: string, to: string, paths: readonly string[], ignored: readonly string[]): void {
  const target = join(to, paths.at(-1) ?? '.');
  const isIgnored = (name: string) => ignored.some((pattern) => pattern === name || matches(name, pattern));
  for (const path of paths.slice(0, -1).map((one) => one.replace(/^\/app\//, ''))) {
    if (path !== '.') {
      const isFolderTarget = (paths.at(-1) ?? '').endsWith('/');
      cpSync(join(from, path), isFolderTarget ? join(target, path) : target, {
        recursive: true,
        verbatimSymlinks: true,
      });
      continue;
    }
    for (const name of readdirSync(from).filter((one) => !isIgnored(one))) {
      cpSync(join(from, name), join(target, name), { recursive: true, verbatimSymlinks: true });
    }
  }
}

function matches(name: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);
}
