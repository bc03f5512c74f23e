import type { Agent, Component } from './agent.js';
import { accountForChannel, channelSource, isKafkaChannel } from './channels.js';
import { type Code, call, list, printed, quoted } from './code.js';
import { type End, endOf, sinksOf } from './ends.js';
import { interceptorSteps } from './interceptors.js';
import { to } from './settings.js';
import type { SourceCode } from './source-type.js';
import { kafkaTopics, sourceCode } from './sources.js';
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

/** Writes the flows of an agent, and accounts for its settings. What a channel lacks is in the first flow. */
export function migrateAgent(agent: Agent, fileName: string): Migrated {
  const warnings: Warning[] = [];
  const { sources, channels, sinks } = agent.components;
  const first = new Writing(agent, warnings);
  for (const channel of channels) accountForChannel(channel, first);
  const flows = [
    ...sources.map((source) => (writing: Writing) => flowOfSource(source, writing, fileName)),
    ...channels
      .filter((one) => isKafkaChannel(one) && hasSinks(one, agent))
      .map((one) => (writing: Writing) => flowOfChannel(one, writing, fileName)),
  ];
  const files = flows.map((write, at) => write(at === 0 ? first : new Writing(agent, warnings)));
  for (const sink of sinks) warnOfSink(sink, agent, warnings);
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

function flowOfSource(source: Component, writing: Writing, fileName: string): FlowFile {
  const { agent } = writing;
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
  const reads = kafkaTopics(source);
  const end = endOf(source, channels, reads, writing);
  const mayResume = end.resume?.of === 'files' || reads.length > 0;
  const given = sourceCode(source, writing, mayResume ? resumeCode(end) : undefined);
  return fileOf(
    `${agent.name}-${source.name}`,
    pathOf(source.name, channels, agent),
    { given, interceptors, end },
    writing,
    fileName,
  );
}

function flowOfChannel(channel: Component, writing: Writing, fileName: string): FlowFile {
  const { agent } = writing;
  const end = sinksOf(channel, [], writing);
  const given = channelSource(channel, writing, resumeCode(end));
  return fileOf(
    `${agent.name}-${channel.name}`,
    pathOf('', [channel], agent),
    { given, interceptors: [], end },
    writing,
    fileName,
  );
}

function resumeCode({ resume }: End): Code | undefined {
  return resume === undefined ? undefined : `${resume.sink}.offsetStore`;
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
