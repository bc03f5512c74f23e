import type { Component } from './agent.js';
import { channelSink, isKafkaChannel } from './channels.js';
import { type Code, list, numeral, object, quoted } from './code.js';
import { lacks, no, to } from './settings.js';
import { isKnownSink, ledgerOf, sinkCode } from './sinks.js';
import type { Writing } from './writing.js';

/** How a flow ends: its last step, and what it may resume from. */
export interface End {
  readonly code: Code;
  /** The sink whose ledger makes it exactly once. That of Kafka is the group's own, so it knows sources of Kafka alone. */
  readonly resume?: { readonly sink: string; readonly of: 'files' | 'kafka' };
}

/** The end of the flow of a source: its selector, its channels, and the sinks behind them. */
export function endOf(
  source: Component,
  channels: readonly Component[],
  reads: readonly string[],
  writing: Writing,
): End {
  const selector = source.settings.under('selector.');
  const type = (selector.text('type') ?? 'replicating').toLowerCase();
  const [only] = channels;
  if (only === undefined) return { code: writing.gap(`the source ${source.name} has no channel`) };
  if (type === 'multiplexing') return multiplexed(selector, channels, reads, writing);
  const optional = new Set(selector.list('optional'));
  selector.say('type', to('the end of the flow'));
  selector.say('optional', to('`required` of `tee`'));
  if (type === 'load_balancing') {
    selector.say('policy', no('`balance` takes the sink with the fewest values'));
    return {
      code: writing.call('operators', 'balance', list(channels.map((one) => branch(one, reads, writing).code))),
    };
  }
  if (type !== 'replicating') {
    selector.say('type', lacks('a selector of your own: write it by `routeBy`'));
    selector.accountFor('selector', { '*': no('belongs to a selector that has no counterpart') });
    return {
      code: writing.gap(`line ${selector.line('type')}: the selector ${selector.text('type')} has no counterpart here`),
    };
  }
  if (channels.length === 1) return branch(only, reads, writing);
  const entries = channels.map((one) => [one.name, branch(one, reads, writing).code] as const);
  return { code: tee(entries, optional, writing) };
}

/** The end of the flow that reads a channel. */
function branch(channel: Component, reads: readonly string[], writing: Writing): End {
  if (isKafkaChannel(channel)) {
    const name = constant(`${channel.name}Topic`, channelSink(channel, writing), writing);
    return { code: `${name}.write()`, resume: { sink: name, of: 'kafka' } };
  }
  return sinksOf(channel, reads, writing);
}

/** The sinks that take from a channel: one, several that share the work, or a group. */
export function sinksOf(channel: Component, reads: readonly string[], writing: Writing): End {
  const { components } = writing.agent;
  const sinks = components.sinks.filter(({ settings }) => settings.text('channel') === channel.name);
  const grouped = components.sinkgroups
    .map((group) => ({ group, members: members(group, sinks) }))
    .filter((one) => one.members.length > 0);
  const alone = sinks.filter((sink) => !grouped.some((one) => one.members.includes(sink)));
  const ends = [
    ...grouped.map(({ group, members: own }) => groupCode(group, own, reads, writing)),
    ...alone.map((sink) => sinkEnd(sink, reads, writing)),
  ];
  const [first] = ends;
  if (first === undefined) return { code: writing.gap(`no sink takes from the channel ${channel.name}`) };
  if (ends.length === 1) return first;
  return { code: writing.call('operators', 'balance', list(ends.map(({ code }) => code))) };
}

function members(group: Component, sinks: readonly Component[]): Component[] {
  const names = group.settings.list('sinks');
  return sinks.filter(({ name }) => names.includes(name));
}

function sinkEnd(sink: Component, reads: readonly string[], writing: Writing): End {
  const code = sinkCode(sink, writing, { reads });
  // A gap is the step itself: it has nothing that could be called.
  if (!isKnownSink(sink)) return { code };
  const name = constant(sink.name, code, writing);
  const ledger = ledgerOf(sink);
  return { code: `${name}.write()`, ...(ledger !== undefined && { resume: { sink: name, of: ledger } }) };
}

function groupCode(group: Component, sinks: readonly Component[], reads: readonly string[], writing: Writing): End {
  const { settings } = group;
  const processor = settings.under('processor.');
  const type = (processor.text('type') ?? 'default').toLowerCase();
  settings.say('sinks', to('the sinks of the group'));
  processor.say('type', to('`failover` or `balance`'));
  if (type === 'failover') {
    const priority = ({ name }: Component) => processor.number(`priority.${name}`, 0);
    const ordered = [...sinks].sort((one, other) => priority(other) - priority(one));
    const penalty = processor.text('maxpenalty');
    const options = penalty === undefined ? [] : [object({ openMs: numeral(processor.number('maxpenalty', 30_000)) })];
    processor.accountFor('failover', {
      'priority.*': to('the order of `failover`'),
      maxpenalty: to('`openMs` of `failover`'),
    });
    return {
      code: writing.call(
        'operators',
        'failover',
        list(ordered.map((one) => sinkEnd(one, reads, writing).code)),
        ...options,
      ),
    };
  }
  const ends = sinks.map((one) => sinkEnd(one, reads, writing));
  if (type === 'default' && ends[0] !== undefined && ends.length === 1) return ends[0];
  if (type !== 'load_balance' && type !== 'default') {
    processor.say('type', lacks('a sink processor of your own'));
    writing.lack([
      `line ${processor.line('type')}: the sink processor ${processor.text('type')} has no counterpart here`,
    ]);
  }
  processor.accountFor('load_balance', {
    backoff: no('a sink that fails is not used until it works again'),
    selector: no('`balance` takes the sink with the fewest values'),
    'selector.*': no('`balance` takes the sink with the fewest values'),
  });
  return { code: writing.call('operators', 'balance', list(ends.map(({ code }) => code))) };
}

function tee(entries: readonly (readonly [string, Code])[], optional: ReadonlySet<string>, writing: Writing): Code {
  const required = entries.map(([name]) => name).filter((name) => !optional.has(name));
  const some = required.length > 0 && required.length < entries.length;
  const options = some ? [object({ required: list(required.map(quoted)) })] : [];
  return writing.call('operators', 'tee', object(Object.fromEntries(entries)), ...options);
}

/** Each channel gets what its values of the header choose: apart where no event goes to two, else a filter before each. */
function multiplexed(
  selector: Component['settings'],
  channels: readonly Component[],
  reads: readonly string[],
  writing: Writing,
): End {
  const header = selector.text('header') ?? 'flume.selector.header';
  const mapping = selector.under('mapping.');
  const optional = selector.under('optional.');
  const byDefault = selector.list('default');
  const chosen = mapping.names.map((value) => [value, [...mapping.list(value), ...optional.list(value)]] as const);
  selector.accountFor('selector', {
    type: to('the end of the flow'),
    header: to('the header that chooses'),
    'mapping.*': to('the branches'),
    'optional.*': to('the branches'),
    default: to('`otherwise`, or the branches'),
  });
  const groups = [...chosen.map(([, names]) => names), byDefault];
  const isApart = groups.every((names) => names.length <= 1);
  if (byDefault.length === 0)
    writing.warn(
      selector.line('type'),
      `Events whose header \`${header}\` has no mapping go nowhere, in Flume and in the flow: they are acked.`,
    );
  const used = channels.filter(({ name }) => groups.some((names) => names.includes(name)));
  const read = /^[A-Za-z_$][\w$]*$/.test(header) ? `headers.${header}` : `headers[${quoted(header)}]`;
  if (isApart) {
    const routes = object(
      Object.fromEntries(chosen.flatMap(([value, [name]]) => (name === undefined ? [] : [[value, quoted(name)]]))),
    );
    const table = constant('routes', routes, writing, ': Readonly<Record<string, string>>');
    const select = `({ headers }) => ${table}[${read} ?? ''] ?? ${quoted(byDefault[0] ?? 'none')}`;
    const branches = object(Object.fromEntries(used.map((one) => [one.name, branch(one, reads, writing).code])));
    return { code: writing.call('operators', 'routeBy', select, branches, object({ otherwise: quoted('ack') })) };
  }
  const entries = used.map((channel) => {
    const values = chosen.filter(([, names]) => names.includes(channel.name)).map(([value]) => value);
    const isOne = values.length === 0 ? [] : [`${printList(values)}.includes(${read} ?? '')`];
    const isOther = byDefault.includes(channel.name)
      ? [`!${printList(chosen.map(([value]) => value))}.includes(${read} ?? '')`]
      : [];
    const holds = [...isOne, ...isOther].join(' || ');
    const filter = writing.call('operators', 'filterValue', `({ headers }) => ${holds}`);
    const { code } = branch(channel, reads, writing);
    const type = `${writing.use('rxjs', 'type Observable')}<${writing.use('', 'type Delivery')}<${writing.use('', 'type FlumeEvent')}>>`;
    return [channel.name, { open: `(events: ${type}) => events.pipe(`, items: [filter, code], close: ')' }] as const;
  });
  const optionalNames = new Set(
    optional.names
      .flatMap((value) => optional.list(value))
      .filter((name) => !mapping.names.some((value) => mapping.list(value).includes(name))),
  );
  return { code: tee(entries, optionalNames, writing) };
}

function printList(values: readonly string[]): string {
  return `[${values.map(quoted).join(', ')}]`;
}

/** A constant above the flow, by a name that is free. */
function constant(name: string, code: Code, writing: Writing, type = ''): string {
  const camel = name
    .replace(/[^A-Za-z0-9]+(.)?/g, (_, letter: string | undefined) => (letter ?? '').toUpperCase())
    .replace(/^[^A-Za-z]+/, '');
  const taken = new Set([
    ...writing.constants.map((one) => one.name),
    ...writing.imports.names,
    'flow',
    'interceptors',
    'default',
    ...RESERVED,
  ]);
  const base = camel === '' ? 'sink' : camel;
  let free = taken.has(base) ? `${base}Sink` : base;
  for (let count = 2; taken.has(free); count += 1) free = `${base}${count}`;
  writing.constants.push({ name: free, code, type });
  return free;
}

const RESERVED = [
  ...[
    'null',
    'switch',
    'new',
    'in',
    'const',
    'var',
    'let',
    'class',
    'export',
    'import',
    'function',
    'process',
    'Buffer',
    'Number',
    'Date',
    'JSON',
  ],
  ...[
    'tee',
    'balance',
    'failover',
    'routeBy',
    'filterValue',
    'mapValue',
    'decode',
    'retryConnect',
    'env',
    'gap',
    'undici',
    'stdio',
    'kafkajs',
    'webhdfs',
  ],
];
