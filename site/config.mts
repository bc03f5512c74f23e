import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

/** Anchors as GitHub makes them of headings: a link works in both. */
function slugify(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

/** The pages that TypeDoc wrote, one for each entry of the package: the entry `rxflume` first, drivers last. */
const entries = readdirSync(fileURLToPath(new URL('../api', import.meta.url)), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md') && file !== 'index.md')
  .map((file) => file.slice(0, -3))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));

function rank(entry: string): number {
  return entry === 'rxflume' ? 0 : entry.includes('/') ? 2 : 1;
}

/** A drop of what flows. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#3451b2" d="M8 1c3 4 5 6 5 9a5 5 0 0 1-10 0c0-3 2-5 5-9z"/></svg>';

function group(
  text: string,
  folder: string,
  pages: readonly (readonly [page: string, title: string])[],
  collapsed = false,
) {
  return { text, collapsed, items: pages.map(([page, title]) => ({ text: title, link: `/${folder}${page}` })) };
}

export default defineConfig({
  title: 'rxflume',
  description:
    'Streams from Kafka, RabbitMQ and Flume into storage, on RxJS: every value carries its own acknowledgement.',
  outDir: '../dist',
  cacheDir: '../cache',
  lastUpdated: false,
  metaChunk: true,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  // The API page of `rxflume` and the search index are single chunks, read only where they are asked for.
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  markdown: { anchor: { slugify }, theme: { light: 'github-light', dark: 'github-dark' } },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        detailedView: true,
        miniSearch: {
          searchOptions: {
            // Misspellings of one letter in eight: names of options differ by no more than others are misspelt by.
            fuzzy: 0.12,
            // What tells you how to use a thing comes before the list of all exports and the notes on how it came to be.
            boostDocument: (page: string) =>
              /\/(api|internals)\/|\/(changelog|decisions|contributing)\./.test(page)
                ? 0.2
                : page.includes('/reference/')
                  ? 2
                  : 1,
          },
        },
      },
    },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Tutorial', link: '/tutorial/first-flow', activeMatch: '/tutorial/' },
      { text: 'Guides', link: '/guides/kafka', activeMatch: '/guides/' },
      { text: 'Reference', link: '/reference/cli', activeMatch: '/reference/' },
      { text: 'Explanation', link: '/explanation/why', activeMatch: '/explanation/' },
      { text: 'API', link: '/api/', activeMatch: '/api/' },
    ],
    sidebar: [
      group('Tutorial', 'tutorial/', [
        ['first-flow', 'Your first flow'],
        ['first-marble-test', 'Your first marble test'],
        ['exactly-once', 'Exactly once'],
        ['from-flume', 'Move an agent of Flume'],
      ]),
      group('Guides', 'guides/', [
        ['kafka', 'Kafka'],
        ['rabbitmq', 'RabbitMQ'],
        ['flume', 'Apache Flume'],
        ['from-flume', 'Flume, property by property'],
        ['files', 'Files and HDFS'],
        ['formats', 'Formats of files'],
        ['schema-registry', 'Schema registry'],
        ['http', 'HTTP'],
        ['console', 'Console and null'],
        ['inputs', 'Other inputs'],
        ['operators', 'Operators'],
        ['bad-records', 'Bad records'],
        ['dead-letters', 'Dead letters'],
        ['existing-app', 'An existing app'],
        ['deliveries', 'Settle deliveries yourself'],
        ['your-own-sink', 'Your own sink'],
        ['testing', 'Testing'],
        ['production', 'Production'],
        ['change-a-flow', 'Change a flow'],
        ['monitoring', 'Monitoring'],
        ['operate', 'See into a running flow'],
        ['capacity', 'Capacity'],
        ['alerts', 'Alerts'],
        ['text', 'Texts'],
        ['kubernetes', 'Kubernetes'],
        ['security', 'Security'],
      ]),
      group('Reference', 'reference/', [
        ['cli', 'Command line'],
        ['errors', 'Errors'],
        ['metrics', 'Metrics and log events'],
        ['alerts', 'Alerts'],
        ['console', 'Console'],
        ['dead-letters', 'Dead letters'],
        ['formats', 'Formats'],
        ['decoders', 'Decoders'],
        ['planner', 'Planner'],
        ['text', 'Texts'],
        ['glossary', 'Glossary'],
      ]),
      group(
        'Options',
        'reference/options/',
        [
          ['kafka', 'Kafka'],
          ['rabbitmq', 'RabbitMQ'],
          ['flume', 'Apache Flume'],
          ['files', 'Files and HDFS'],
          ['registry', 'Schema registry'],
          ['http', 'HTTP'],
          ['console', 'Console and null'],
          ['inputs', 'Other inputs'],
          ['operators', 'Operators'],
          ['testing', 'Testing'],
        ],
        true,
      ),
      group('Explanation', '', [
        ['explanation/why', 'Why rxflume exists'],
        ['explanation/guarantees', 'Guarantees'],
        ['explanation/architecture', 'Architecture'],
        ['explanation/exactly-once', 'Exactly once'],
        ['explanation/threat-model', 'Threat model'],
        ['explanation/memory', 'Memory'],
        ['explanation/performance', 'Performance'],
        ['decisions', 'Decisions'],
      ]),
      group(
        'Work on rxflume',
        '',
        [
          ['contributing', 'Contributing'],
          ['internals/code-map', 'Code map'],
          ['internals/record-way', 'The way of one record'],
          ['changelog', 'Changelog'],
        ],
        true,
      ),
      {
        text: 'API reference',
        link: '/api/',
        collapsed: true,
        items: entries.map((entry) => ({
          text: entry === 'rxflume' ? entry : `rxflume/${entry}`,
          link: `/api/${entry}`,
        })),
      },
    ],
  },
});
