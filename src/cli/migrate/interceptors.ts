import { type Code, list, object, quoted } from './code.js';
import { lacks, no, type Rules, type Settings, to } from './settings.js';
import { regexCode } from './source-type.js';
import type { Writing } from './writing.js';

interface InterceptorType {
  readonly rules: Rules;
  write(settings: Settings, writing: Writing): Code;
}

const step = (writing: Writing, name: string, ...items: readonly Code[]) =>
  writing.call('operators', 'mapValue', writing.call('flume', name, ...items));

/** The options of a header, without those that are as by default. */
function headerOptions(
  settings: Settings,
  nameKey: string,
  byDefault: string,
  preserve: boolean,
  more: Readonly<Record<string, Code | undefined>> = {},
): Code[] {
  const header = settings.text(nameKey);
  const keeps = settings.flag('preserveExisting', preserve);
  const options = object({
    header: header === undefined || header === byDefault ? undefined : quoted(header),
    ...more,
    preserveExisting: keeps === preserve ? undefined : String(keeps),
  });
  return options === '{}' ? [] : [options];
}

const PRESERVE: Rules = { preserveExisting: to('`preserveExisting`') };

const TYPES: Readonly<Record<string, InterceptorType>> = {
  timestamp: {
    rules: { headerName: to('`header` of `timestampHeader`'), ...PRESERVE },
    write: (settings, writing) =>
      step(writing, 'timestampHeader', ...headerOptions(settings, 'headerName', 'timestamp', false)),
  },
  host: {
    rules: { hostHeader: to('`header` of `hostHeader`'), useIP: to('`use` of `hostHeader`'), ...PRESERVE },
    write(settings, writing) {
      const use = settings.flag('useIP', true) ? undefined : quoted('name');
      return step(writing, 'hostHeader', ...headerOptions(settings, 'hostHeader', 'host', false, { use }));
    },
  },
  static: {
    rules: { key: to('`staticHeader`'), value: to('`staticHeader`'), ...PRESERVE },
    write(settings, writing) {
      const pair = [writing.text(settings.text('key') ?? 'key'), writing.text(settings.text('value') ?? 'value')];
      return step(writing, 'staticHeader', ...pair, ...headerOptions(settings, '', '', true));
    },
  },
  remove_header: {
    rules: {
      withName: to('`removeHeaders`'),
      fromList: to('`removeHeaders`'),
      fromListSeparator: to('`removeHeaders`'),
      matching: to('`removeHeaders`'),
    },
    write(settings, writing) {
      const name = settings.text('withName');
      const matching = settings.text('matching');
      const separator = settings.text('fromListSeparator') ?? '\\s*,\\s*';
      const names = [...(name === undefined ? [] : [name]), ...splitBy(settings.text('fromList') ?? '', separator)];
      const pattern =
        matching === undefined ? [] : [regexCode(`^(?:${matching})$`, settings.line('matching'), writing)];
      return step(writing, 'removeHeaders', list([...names.map(quoted), ...pattern]));
    },
  },
  search_replace: {
    rules: {
      searchPattern: to('`searchReplace`'),
      replaceString: to('`searchReplace`'),
      charset: to('`searchReplace`'),
    },
    write(settings, writing) {
      const charset = (settings.text('charset') ?? 'UTF-8').toLowerCase();
      const encoding = {
        'utf-8': undefined,
        utf8: undefined,
        'iso-8859-1': 'latin1',
        'us-ascii': 'latin1',
        'utf-16le': 'utf16le',
      };
      const known = Object.hasOwn(encoding, charset);
      if (!known) writing.lack([`line ${settings.line('charset')}: searchReplace has no charset ${charset}`]);
      const name = known ? encoding[charset as keyof typeof encoding] : undefined;
      return step(
        writing,
        'searchReplace',
        regexCode(settings.text('searchPattern') ?? '', settings.line('searchPattern'), writing),
        quoted(replacementOf(settings.text('replaceString') ?? '')),
        ...(name === undefined ? [] : [quoted(name)]),
      );
    },
  },
  regex_filter: {
    rules: { regex: to('`bodyMatches`'), excludeEvents: to('`filterValue`') },
    write(settings, writing) {
      const matches = writing.call(
        'flume',
        'bodyMatches',
        regexCode(settings.text('regex') ?? '.*', settings.line('regex'), writing),
      );
      if (!settings.flag('excludeEvents', false)) return writing.call('operators', 'filterValue', matches);
      return writing.call('operators', 'filterValue', writing.call('flume', 'not', matches));
    },
  },
  regex_extractor: {
    rules: {
      regex: to('`regexExtractor`'),
      serializers: to('`regexExtractor`'),
      'serializers.*': to('`regexExtractor`'),
    },
    write(settings, writing) {
      const headers = settings.list('serializers').map((name): Code => {
        const own = settings.under(`serializers.${name}.`);
        const header = quoted(own.text('name') ?? name);
        const type = own.text('type') ?? 'default';
        if (type === 'default') return header;
        const text = `line ${own.line('type')}: the serializer ${type}: write \`of\`, which makes the header of the group`;
        return object({ header, of: writing.gap(text) });
      });
      const regex = regexCode(settings.text('regex') ?? '', settings.line('regex'), writing);
      return step(writing, 'regexExtractor', regex, list(headers));
    },
  },
  uuid: {
    rules: { headerName: to('`header` of `uuidHeader`'), prefix: to('`prefix` of `uuidHeader`'), ...PRESERVE },
    write(settings, writing) {
      const prefix = settings.text('prefix');
      return step(
        writing,
        'uuidHeader',
        ...headerOptions(settings, 'headerName', 'id', true, {
          prefix: prefix === undefined ? undefined : writing.text(prefix),
        }),
      );
    },
  },
};

/** Types by the name of their class. */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/\.timestampinterceptor\$builder$/, 'timestamp'],
  [/\.hostinterceptor\$builder$/, 'host'],
  [/\.staticinterceptor\$builder$/, 'static'],
  [/\.removeheaderinterceptor\$builder$/, 'remove_header'],
  [/\.searchandreplaceinterceptor\$builder$/, 'search_replace'],
  [/\.regexfilteringinterceptor\$builder$/, 'regex_filter'],
  [/\.regexextractorinterceptor\$builder$/, 'regex_extractor'],
  [/\.uuidinterceptor\$builder$/, 'uuid'],
];

/** The interceptors of a source as steps of the flow, in their order. */
export function interceptorSteps(source: Settings, writing: Writing): Code[] {
  const names = source.list('interceptors');
  source.say('interceptors', to('steps of the flow'));
  return names.map((name) => {
    const settings = source.under(`interceptors.${name}.`);
    const given = settings.text('type') ?? '';
    const type = CLASSES.find(([pattern]) => pattern.test(given.toLowerCase()))?.[1] ?? given.toLowerCase();
    const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
    if (known === undefined) {
      settings.say('type', lacks('an interceptor of your own: write it as a step, such as `mapValue((event) => …)`'));
      settings.accountFor('interceptor', { '*': no('belongs to an interceptor that has no counterpart') });
      return writing.gap(
        `line ${settings.line('type')}: the interceptor ${name} of type ${given === '' ? '(none)' : given} has no counterpart here`,
      );
    }
    const code = known.write(settings, writing);
    settings.say('type', to('a step of the flow'));
    writing.lack(settings.accountFor(`interceptor ${given}`, known.rules));
    return code;
  });
}

function splitBy(text: string, separator: string): string[] {
  if (text === '') return [];
  try {
    return text.split(new RegExp(separator)).filter(Boolean);
  } catch {
    return text.split(',').map((one) => one.trim());
  }
}

/** Java escapes a `$` by a backslash, JavaScript by another `$`. */
function replacementOf(java: string): string {
  return java
    .replace(/\\(.)/g, (_, letter: string) => (letter === '$' ? '$$' : letter))
    .replace(/\$\{(\w+)\}/g, '$<$1>');
}
