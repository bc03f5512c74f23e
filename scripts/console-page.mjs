// node scripts/console-page.mjs [dist]: copies the console's page, its libraries and their licences to where the build put its server.
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = join(resolve(process.argv[2] ?? join(root, 'dist')), 'src/console/page');
const { LIBRARIES, LICENCES, OWN_FILES } = await import(pathToFileURL(join(built, 'page-files.js')).href);

const copy = (from, to) => {
  mkdirSync(dirname(join(built, to)), { recursive: true });
  cpSync(join(root, from), join(built, to));
};
copy('src/console/page/index.html', 'index.html');
for (const name of OWN_FILES) copy(`src/console/page/assets/${name}`, `assets/${name}`);
for (const [name, path] of Object.entries({ ...LIBRARIES, ...LICENCES }))
  copy(`node_modules/${path}`, `assets/vendor/${name}`);
