import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  type Action,
  actionOf,
  notesOf,
  problemsOf,
  publishArguments,
  type State,
} from '../../scripts/release-plan.mjs';

const CHANGELOG = `# Changelog

## Unreleased

- Not yet.

## 1.2.0 - 2026-12-01

### Added

- This.

## 1.1.0 - 2026-11-01

## [1.0.0]

- First.
`;

const FINE: State = {
  action: 'publish',
  manifest: {
    version: '1.2.0',
    license: 'Apache-2.0',
    repository: { type: 'git', url: 'git+https://example.org/r.git' },
  },
  lock: { version: '1.2.0' },
  changelog: CHANGELOG,
  status: '',
  tags: ['v1.1.0'],
};

describe('what npm run release is asked for', () => {
  it.each<[string[], Action]>([
    [[], 'publish'],
    [['--dry-run'], 'dry-run'],
    [['--help'], 'help'],
    [['--dry-run', '--help'], 'help'],
    [['--dryrun'], 'usage'],
    [['--dry-run', '--force'], 'usage'],
  ])('%j is %s: a misspelt option never publishes', (options, action) => {
    expect(actionOf(options)).toBe(action);
  });
});

describe('a release', () => {
  it('can be made where all is well', () => {
    expect(problemsOf(FINE)).toEqual([]);
    expect(problemsOf({ ...FINE, action: 'dry-run' })).toEqual([]);
  });

  it.each<[string, Partial<State>, RegExp]>([
    ['a file that is changed', { status: ' M src/index.ts\n?? new.ts\n' }, /2 files, such as M src\/index.ts/],
    ['a lock file of another version', { lock: { version: '1.1.0' } }, /package-lock.json is of version 1.1.0/],
    ['a tag that exists', { tags: ['v1.2.0'] }, /tag v1.2.0 exists already.*npm version/],
    ['a version without a section', { changelog: CHANGELOG.replace('## 1.2.0', '## 1.2.1') }, /no section for 1.2.0/],
    ['a section without notes', { ...of('1.1.0'), tags: [] }, /no section for 1.1.0/],
    ['a version that is none', of('1.2'), /`version` is 1.2/],
    ['no license', { manifest: { version: '1.2.0', repository: 'r' } }, /no `license`/],
    ['no repository', { manifest: { version: '1.2.0', license: 'MIT' } }, /no `repository`/],
    ['a private package', { manifest: { ...FINE.manifest, private: true } }, /`private: true`/],
  ])('is kept from being made by %s', (_, state, problem) => {
    const problems = problemsOf({ ...FINE, ...state });
    expect(problems.filter((text) => problem.test(text))).toHaveLength(1);
    for (const text of problems) expect(text).toMatch(/^[A-Z`p].*\.$/);
  });

  it('that is only tried takes the section that is not released yet, and no repository', () => {
    const changelog = '# Changelog\n\n## Unreleased\n\n- Something.\n';
    const manifest = { version: '1.2.0', license: 'MIT' };
    expect(problemsOf({ ...FINE, action: 'dry-run', changelog, manifest })).toEqual([]);
    expect(
      problemsOf({ ...FINE, action: 'dry-run', changelog: '# Changelog\n\n## Unreleased\n', manifest }),
    ).toHaveLength(1);
    expect(problemsOf({ ...FINE, changelog, manifest })).toHaveLength(2);
  });

  it('has the notes of its version alone', () => {
    expect(notesOf(CHANGELOG, '1.2.0')).toBe('### Added\n\n- This.');
    expect(notesOf(CHANGELOG, '1.0.0')).toBe('- First.');
    expect(notesOf(CHANGELOG, '1.2')).toBeUndefined();
    expect(notesOf(CHANGELOG, '1.1.0')).toBeUndefined();
  });

  it('is published with provenance, a prerelease not as the latest, and a trial not at all', () => {
    expect(publishArguments('publish', '1.2.0', 'a.tgz').join(' ')).toBe(
      'publish a.tgz --provenance --access public --tag latest',
    );
    expect(publishArguments('publish', '1.2.0-rc.1', 'a.tgz')).toContain('next');
    expect(publishArguments('dry-run', '1.2.0', 'a.tgz')).toContain('--dry-run');
    expect(publishArguments('publish', '1.2.0', 'a.tgz')).not.toContain('--dry-run');
  });
});

it('the package as it is could be tried', () => {
  const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
  const manifest = JSON.parse(read('package.json')) as State['manifest'];
  const lock = JSON.parse(read('package-lock.json')) as State['lock'];
  const state = { manifest, lock, changelog: read('CHANGELOG.md'), status: '', tags: [] };
  expect(problemsOf({ ...state, action: 'dry-run' })).toEqual([]);
});

function of(version: string): Partial<State> {
  return { manifest: { ...FINE.manifest, version }, lock: { version } };
}
