import type { Agent, Component } from './agent.js';
import { accountForChannel, channelSource, isKafkaChannel } from './channels.js';
import { type Code, call, list, printed, quoted } from './code.js';
import { type End, endOf, sinksOf } from './ends.js';
import { interceptorSteps } from './interceptors.js';
import { to } from './settings.js';
import type { SourceCode } from './source-type.js';
import { sourceCode } from './sources.js';
import { type Warning, Writing } from './writing.js';

/** A flow that was written: one path of the agent, from a source, or from the topic of a Kafka channel, to its sinks. */
export interface FlowFile {
  /** Of the flow, and of its files. */
  readonly name: string;
  readonly text: string;
  /** What it is of the agent, such as `r1 → c1 → k1`. */
  readonly path: string;
  readonly gaps: number;
  readonly steps: number;
}

export interface Migrated {
  readonly files: readonly FlowFile[];
  readonly warnings: readonly Warning[];
}

/** Writes the flows of an agent, and accounts for its settings. */
export function migrateAgent(agent: Agent, fileName: string): Migrated {
  const warnings: Warning[] = [];
  const { sources, channels } = agent.components;
  const first = new Writing(agent, warnings);
  for (const channel of channels) accountForChannel(channel, first);
  const lacking = first.lacking;
  const files = [
    ...sources.map((source) => flowOfSource(source, agent, warnings, fileName)),
    ...channels
      .filter((one) => isKafkaChannel(one) && hasSinks(one, agent))
      .map((one) => flowOfChannel(one, agent, warnings, fileName)),
  ].map((one, at) => (at === 0 && lacking.length > 0 ? withGaps(one, lacking) : one));
  for (const sink of agent.components.sinks) warnOfSink(sink, agent, warnings);
  return { files, warnings };
}

function hasSinks(channel: Component, { components }: Agent): boolean {
  return components.sinks.some(({ settings }) => settings.text('channel') === channel.name);
}

function warnOfSink({ name, settings }: Component, { components }: Agent, warnings: Warning[]): void {
  const channel = settings.text('channel');
  const line = settings.line('channel');
  if (channel === undefined) warnings.push({ line, message: `The sink ${name} has no channel: it is in no flow.` });
  else if (!components.channels.some((one) => one.name === channel))
    warnings.push({
      line,
      message: `The sink ${name} takes from ${channel}, which the agent does not list: it is in no flow.`,
    });
  else if (
    !components.sources.some((source) => source.settings.list('channels').includes(channel)) &&
    !components.channels.some((one) => one.name === channel && isKafkaChannel(one))
  )
    warnings.push({ line, message: `Nothing writes to the channel ${channel} of the sink ${name}: it is in no flow.` });
}

function flowOfSource(source: Component, agent: Agent, warnings: Warning[], fileName: string): FlowFile {
  const writing = new Writing(agent, warnings);
  const names = source.settings.list('channels');
  source.settings.say('channels', to('the end of the flow'));
  const channels = names.flatMap((name) => agent.components.channels.filter((one) => one.name === name));
  for (const name of names) {
    if (!channels.some((one) => one.name === name))
      writing.warn(
        source.settings.line('channels'),
        `The source ${source.name} names the channel ${name}, which the agent does not list.`,
      );
  }
  const interceptors = interceptorSteps(source.settings, writing);
  // The topics it reads are known without its code.
  const reads = /kafkasource$/.test(source.type)
    ? (source.settings.text('kafka.topics') ?? source.settings.text('topic') ?? 'the topics it reads').split(/\s*,\s*/)
    : [];
  const end = endOf(source, channels, reads, writing);
  const isKafka = /kafkasource$/.test(source.type);
  const given = sourceCode(
    source,
    writing,
    end.resume === undefined || (end.resume.of === 'kafka' && !isKafka) ? undefined : `${end.resume.sink}.offsetStore`,
  );
  return fileOf(
    `${agent.name}-${source.name}`,
    pathOf(source.name, channels, agent),
    { given, interceptors, end },
    writing,
    fileName,
  );
}

function flowOfChannel(channel: Component, agent: Agent, warnings: Warning[], fileName: string): FlowFile {
  const writing = new Writing(agent, warnings);
  const end = sinksOf(channel, [], writing);
  const given = channelSource(
    channel,
    writing,
    end.resume === undefined ? undefined : `${end.resume.sink}.offsetStore`,
  );
  return fileOf(
    `${agent.name}-${channel.name}`,
    pathOf('', [channel], agent),
    { given, interceptors: [], end },
    writing,
    fileName,
  );
}

function pathOf(source: string, channels: readonly Component[], { components }: Agent): string {
  const names = channels.map(({ name }) => name);
  const sinks = components.sinks
    .filter(({ settings }) => names.includes(settings.text('channel') ?? ''))
    .map(({ name }) => name);
  return [source, names.join(', '), sinks.join(', ')].filter(Boolean).join(' → ');
}

interface Parts {
  readonly given: SourceCode;
  readonly interceptors: readonly Code[];
  readonly end: End;
}

function fileOf(given: string, path: string, parts: Parts, writing: Writing, fileName: string): FlowFile {
  const name = given
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const { source, steps } = parts.given;
  const hasSteps = parts.interceptors.length > 0;
  const middle: Code[] = [...steps, ...(hasSteps ? ['...interceptors'] : [])];
  const flow = call(writing.use('', 'flow'), quoted(name), source, ...middle, parts.end.code);
  const gaps = writing.lacking.map((text) => `${writing.use('flume', 'gap')}(${quoted(text)});\n`);
  const constants = writing.constants.map(
    ({ name: own, code, type }) => `const ${own}${type} = ${printed(code, '', own.length + 9)};\n`,
  );
  const exported = hasSteps
    ? [
        `/** What the interceptors did, in their order. */\nexport const interceptors = ${printed(list(parts.interceptors))} as const;\n`,
      ]
    : [];
  const head = `// Written by \`rxflume migrate\`: ${path} of ${fileName}.\n`;
  const text = [
    head + writing.imports.text,
    gaps.join(''),
    ...constants,
    ...exported,
    `export default ${printed(flow, '', 15)};\n`,
  ]
    .filter(Boolean)
    .join('\n');
  return { name, text, path, gaps: writing.gaps, steps: parts.interceptors.length };
}

/** The gaps of what no flow has for itself are in the first. */
function withGaps(file: FlowFile, lacking: readonly string[]): FlowFile {
  const writing = new Writing({} as Agent, []);
  const gaps = lacking.map((text) => `gap(${quoted(text)});\n`).join('');
  const hasImport = /import \{[^}]*\bgap\b/.test(file.text);
  const text = file.text.replace(
    /\n\n/,
    `\n${hasImport ? '' : `import { ${writing.use('flume', 'gap')} } from 'rxflume/flume';\n`}\n${gaps}\n`,
  );
  return { ...file, text, gaps: file.gaps + lacking.length };
}
