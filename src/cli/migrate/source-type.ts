import { isIP } from 'node:net';
import type { Component } from './agent.js';
import { type Code, quoted, suffixed } from './code.js';
import { jsRegex } from './java-regex.js';
import type { Rules } from './settings.js';
import type { Writing } from './writing.js';

/** A source as code: an Observable of deliveries, and the steps that make events of them. */
export interface SourceCode {
  readonly source: Code;
  readonly steps: readonly Code[];
}

/** How a type of source is written; `resume` is the option that makes it exactly once, where the flow allows it. */
export interface SourceType {
  readonly rules: Rules;
  /** Of a source of Kafka: the topics that it reads, in words. */
  readonly topics?: (source: Component) => readonly string[];
  write(source: Component, writing: Writing, resume: Code | undefined): SourceCode;
}

/** An address to listen at. A name is looked up by Flume; here it must be an address. */
export function hostCode(text: string | undefined, line: number, writing: Writing): Code {
  if (text === undefined) return quoted('0.0.0.0');
  if (text.toLowerCase() === 'localhost') return quoted('127.0.0.1');
  if (isIP(text) === 0 && !text.includes('${'))
    writing.lack([`line ${line}: listen at an address such as 0.0.0.0, not at the name ${text}`]);
  return writing.text(text);
}

/** A port, or a gap where there is none. */
export function portCode(text: string | undefined, writing: Writing): Code {
  if (text !== undefined && /^\d+$/.test(text)) return text;
  return text === undefined ? writing.gap('no port is set') : `Number(${writing.text(text)})`;
}

/** A source that connects anew as long as it cannot. */
export function connecting(source: Code, writing: Writing): Code {
  return suffixed(source, `.pipe(${writing.use('operators', 'retryConnect')}())`);
}

/** A regular expression of Java, or a gap. */
export function regexCode(java: string, line: number, writing: Writing): Code {
  const regex = jsRegex(java);
  if ('literal' in regex) return regex.literal;
  return writing.gap(
    `line ${line}: the regular expression ${java} of Java has no form in JavaScript: ${regex.problem}`,
  );
}
