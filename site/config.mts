import { defineConfig } from 'vitepress';

/** Anchors as GitHub makes them of headings: a link works in both. */
function slugify(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

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
  // The API page of `rxflume` and the search index are single chunks, read only where they are asked for.
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  markdown: { anchor: { slugify }, theme: { light: 'github-light', dark: 'github-dark' } },
  themeConfig: {
    search: { provider: 'local', options: { detailedView: true } },
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
      ]),
      group('Guides', 'guides/', [
        ['kafka', 'Kafka'],
        ['rabbitmq', 'RabbitMQ'],
        ['flume', 'Apache Flume'],
        ['from-flume', 'Coming from Flume'],
        ['files', 'Files and HDFS'],
        ['formats', 'Formats of files'],
        ['http', 'HTTP'],
        ['console', 'Console and null'],
        ['operators', 'Operators'],
        ['bad-records', 'Bad records'],
        ['existing-app', 'An existing app'],
        ['deliveries', 'Settle deliveries yourself'],
        ['your-own-sink', 'Your own sink'],
        ['testing', 'Testing'],
        ['production', 'Production'],
        ['kubernetes', 'Kubernetes'],
        ['security', 'Security'],
      ]),
      group('Reference', 'reference/', [
        ['cli', 'Command line'],
        ['errors', 'Errors'],
        ['metrics', 'Metrics and log events'],
        ['formats', 'Formats'],
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
          ['http', 'HTTP'],
          ['console', 'Console and null'],
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
      { text: 'API reference', link: '/api/' },
    ],
  },
});
