// npm run docs: the documentation as a site in .site/dist, with the API reference, search and llms.txt. A dead link or anchor fails it.
// To look at it: npx vitepress preview .site/src
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = join(root, '.site');
const pages = join(site, 'src');

/** Pages that are not in docs/, by their path in the repository: where they are on the site. */
const ELSEWHERE = { 'README.md': 'index.md', 'CONTRIBUTING.md': 'contributing.md', 'CHANGELOG.md': 'changelog.md' };

function onSite(path) {
  return ELSEWHERE[path] ?? path.replace(/^docs\//, '');
}

/** Copies a page of the repository, with its links to other pages as they are on the site. */
function copyPage(path) {
  const from = posix.dirname(onSite(path));
  const text = readFileSync(join(root, path), 'utf8').replace(
    /\]\(([^)#\s]+\.md)(#[^)\s]*)?\)/g,
    (link, target, anchor = '') => {
      if (/^https?:/.test(target)) return link;
      const found = posix.relative(from, onSite(posix.join(posix.dirname(path), target)));
      return `](${found.startsWith('.') ? found : `./${found}`}${anchor})`;
    },
  );
  const file = join(pages, onSite(path));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function run(name, args) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', name), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** The API reference: a page for each entry point, named as it is imported. */
function writeApi() {
  const api = join(pages, 'api');
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.values(exports)
    .flatMap(({ types }) => types ?? [])
    .flatMap((types) => ['--entryPoints', types.replace('./dist/', './').replace('.d.ts', '.ts')]);
  run('typedoc/bin/typedoc', ['--options', 'site/typedoc.json', ...entries, '--out', join(site, 'api')]);
  // TypeDoc numbers the page of `rxflume/text`, as if it were that of the function `text`.
  const named = (file) =>
    file
      .replace(/^src\.md$/, 'rxflume.md')
      .replace(/^src\//, '')
      .replace(/^text-1\.md$/, 'text.md');
  const files = readdirSync(join(site, 'api'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.md'),
  );
  for (const file of files) {
    const text = readFileSync(join(site, 'api', file), 'utf8')
      .replace(/\]\(([^)#\s]+\.md)(#[^)\s]*)?\)/g, (_, target, anchor = '') => {
        const found = relative(dirname(named(file)), named(posix.join(dirname(file), target)));
        return `](${found.startsWith('.') ? found : `./${found}`}${anchor})`;
      })
      .replace(/^# (\S+)$/m, (_, name) => `# ${file === 'index.md' ? 'API reference' : titleOf(name)}`)
      .replace(/\[(src|operators|src\/[\w/-]+)\]\(/g, (_, name) => `[${titleOf(name)}](`)
      // TypeDoc takes `Source.traits` and `SourceTraits` for headings of one name, and numbers the second; the page does not.
      .replaceAll('(#sourcetraits-1)', '(#sourcetraits)');
    const path = join(api, named(file));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** `src/drivers/kafkajs` as it is imported: `rxflume/drivers/kafkajs`. */
function titleOf(module) {
  return module === 'src' ? 'rxflume' : `rxflume/${module.replace(/^src\//, '').replaceAll('\\', '')}`;
}

/** Folders of pages in the order in which they are read. */
const SECTIONS = {
  Tutorial: 'docs/tutorial/',
  Guides: 'docs/guides/',
  Reference: 'docs/reference/',
  Explanation: 'docs/explanation/',
  Optional: '',
};

/** For programs that read documentation: each page as Markdown, and its first sentence. https://llmstxt.org */
function writeLlms(documents) {
  const parts = Object.entries(SECTIONS).map(([title, folder]) => {
    const listed = documents.filter((path) => Object.values(SECTIONS).find((each) => path.startsWith(each)) === folder);
    return `## ${title}\n\n${listed.map(llmsLine).join('\n')}\n`;
  });
  const head =
    '# rxflume\n\n> Collects streams from Kafka, RabbitMQ and Apache Flume and delivers them to HDFS, files, Kafka, RabbitMQ, Flume and HTTP, as RxJS: every value carries its own acknowledgement.';
  writeFileSync(join(site, 'dist/llms.txt'), `${head}\n\n${parts.join('\n')}`);
  for (const path of documents) cpSync(join(pages, onSite(path)), join(site, 'dist', onSite(path)));
}

function llmsLine(path) {
  const text = readFileSync(join(pages, onSite(path)), 'utf8').replace(/```[\s\S]*?```/g, '');
  const title = /^# (.*)$/m.exec(text)?.[1] ?? path;
  const first = text
    .split(/\n\n+/)
    .find((part) => /^[A-Z*`[]/.test(part) && !/^\[.*\]\(.*\)$/.test(part))
    ?.replaceAll('\n', ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^(.*?[.:])(\s.*)?$/, '$1')
    .replace(/:$/, '.');
  return `- [${title}](/${onSite(path)})${first === undefined ? '' : `: ${first}`}`;
}

/** VitePress looks for dead links to pages; this looks for dead links to headings, and to files beside the pages. */
function expectAnchors() {
  const dist = join(site, 'dist');
  const html = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
  const texts = new Map(html.map((name) => [name, readFileSync(join(dist, name), 'utf8')]));
  const idsOf = new Map([...texts].map(([name, text]) => [name, new Set(matches(text, / id="([^"]*)"/g))]));
  const dead = [...texts].flatMap(([name, text]) =>
    matches(text, / href="([^"]*)"/g)
      .filter((href) => !/^[a-z]+:/.test(href))
      .filter((href) => {
        const [path, anchor] = href.split('#');
        const target =
          path === '' ? name : posix.join('.', path.startsWith('/') ? path : posix.join(dirname(name), path));
        const file = target.endsWith('/') || target === '.' ? posix.join(target, 'index.html') : target;
        if (anchor === undefined || anchor === '') return !existsSync(join(dist, file));
        return !idsOf.get(file)?.has(decodeURIComponent(anchor));
      })
      .map((href) => `${name}: ${href}`),
  );
  if (dead.length === 0) return;
  console.error(`Dead links:\n  ${[...new Set(dead)].join('\n  ')}`);
  process.exit(1);
}

function matches(text, pattern) {
  return [...text.matchAll(pattern)].map((found) => found[1]);
}

rmSync(pages, { recursive: true, force: true });
cpSync(join(root, 'docs'), pages, { recursive: true });
const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
  .sort();
const listed = [...documents.filter((path) => path !== 'docs/index.md'), 'CONTRIBUTING.md', 'CHANGELOG.md'];
for (const path of ['docs/index.md', ...listed]) copyPage(path);
writeApi();
mkdirSync(join(pages, '.vitepress'), { recursive: true });
cpSync(join(root, 'site/config.mts'), join(pages, '.vitepress/config.mts'));
cpSync(join(root, 'site/theme'), join(pages, '.vitepress/theme'), { recursive: true });
run('vitepress/bin/vitepress.js', ['build', pages]);
// Files beside the pages that are no pages.
cpSync(join(root, 'docs/reference/json'), join(site, 'dist/reference/json'), { recursive: true });
writeLlms(listed);
expectAnchors();
