// The decisions of scripts/release.mjs, without the outside: what it was asked for, what keeps a release from being made, and what
// npm is called with.

export const HELP = `Usage: npm run release [-- --dry-run]

Checks that the tree is clean and the changelog has the version, then builds, packs, checks the tarball with publint and attw, writes
a software bill of materials, and publishes with provenance. The tarball and the bill are left in .release/.

  --dry-run   all but publishing: npm only says what it would do. The section "Unreleased" of the changelog will do
  --help      this text

Provenance is signed by the CI that runs this, so publishing works in a CI job with an identity token, and only there.

Exit status: 0 done, 1 something keeps the release from being made, 2 wrong usage.`;

/** What the arguments ask for. */
export function actionOf(options) {
  if (options.includes('--help')) return 'help';
  if (options.length === 0) return 'publish';
  return options.length === 1 && options[0] === '--dry-run' ? 'dry-run' : 'usage';
}

/** A section of the changelog, without its heading; undefined where there is none, or nothing in it. */
export function notesOf(changelog, heading) {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => {
    const [title] = text.split('\n', 1);
    return title === heading || title.startsWith(`${heading} `) || title.startsWith(`[${heading}]`);
  });
  const notes = section?.split('\n').slice(1).join('\n').trim();
  return notes === '' || notes === undefined ? undefined : notes;
}

/** What keeps a release from being made, each with what to do; none where it can be. */
export function problemsOf({ action, manifest, lock, changelog, status, tags }) {
  const { version, repository, license, private: isPrivate } = manifest;
  const problems = [];
  const isDry = action === 'dry-run';
  if (status.trim() !== '') {
    const files = status.trim().split('\n');
    problems.push(`The tree is not clean (${files.length} files, such as ${files[0].trim()}). Commit or stash them.`);
  }
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    problems.push(`\`version\` is ${version}, which is no version. Correct package.json.`);
  if (lock.version !== version)
    problems.push(
      `package-lock.json is of version ${lock.version}, package.json of ${version}. Run \`npm install --package-lock-only\`.`,
    );
  if (tags.includes(`v${version}`))
    problems.push(`The tag v${version} exists already. Raise \`version\` with \`npm version\`.`);
  if (notesOf(changelog, version) === undefined && !(isDry && notesOf(changelog, 'Unreleased') !== undefined))
    problems.push(
      `CHANGELOG.md has no section for ${version}. Name the section "Unreleased" \`## ${version} - <date>\`.`,
    );
  if (!license) problems.push('package.json has no `license`. Add it.');
  if (isPrivate === true) problems.push('package.json has `private: true`. Remove it.');
  if (!isDry && repository === undefined)
    problems.push(
      'package.json has no `repository`, with which npm compares the source that provenance names. Add it.',
    );
  return problems;
}

/** The arguments of `npm publish`. A prerelease does not become what `npm install rxflume` takes. */
export function publishArguments(action, version, tarball) {
  const tag = version.includes('-') ? 'next' : 'latest';
  return [
    'publish',
    tarball,
    '--provenance',
    '--access',
    'public',
    '--tag',
    tag,
    ...(action === 'dry-run' ? ['--dry-run'] : []),
  ];
}
