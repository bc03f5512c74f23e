import { fromBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** A message, and those that are defined within it. */
interface Message {
  readonly name: string;
  /** Of a map field: some clients count it among the messages, some do not. */
  readonly isEntry: boolean;
  readonly messages: Message[];
}

/** The messages of a file as a registry has it: a `.proto` text, or a descriptor in base64. */
export interface MessageFile {
  readonly packageName: string;
  readonly messages: readonly Message[];
}

/** The full names that the indexes may mean: one, or two where a map field is before the message. */
export function messageNames({ packageName, messages }: MessageFile, indexes: readonly number[]): string[] {
  const names = [true, false].map((countsEntries) => {
    let within = messages;
    const steps = packageName === '' ? [] : [packageName];
    for (const index of indexes) {
      const message = within.filter(({ isEntry }) => countsEntries || !isEntry)[index];
      if (message === undefined) return undefined;
      steps.push(message.name);
      within = message.messages;
    }
    return steps.join('.');
  });
  return [...new Set(names)].filter((name) => name !== undefined);
}

/** Reads the names of the messages of a file. */
export function messageFile(schema: string): MessageFile {
  const bytes = /^[A-Za-z0-9+/\s]+=*\s*$/.test(schema) ? Buffer.from(schema, 'base64') : undefined;
  return bytes === undefined || bytes.length === 0 ? ofText(schema) : ofDescriptor(bytes);
}

function ofDescriptor(bytes: Uint8Array): MessageFile {
  const { package: packageName, messageType } = fromBinary(FileDescriptorProtoSchema, bytes);
  const messageOf = ({ name, nestedType, options }: DescriptorProto): Message => ({
    name,
    isEntry: options?.mapEntry === true,
    messages: nestedType.map(messageOf),
  });
  return { packageName, messages: messageType.map(messageOf) };
}

const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\w.]+|[^\s\w]/g;

/** Source: Protocol Buffers language specification; a message or a group begins a block with a name. */
function ofText(text: string): MessageFile {
  const tokens = (text.match(TOKEN) ?? []).filter((token) => !/^\/[/*]/.test(token));
  let packageName = '';
  const top: Message[] = [];
  /** The messages of each open block; undefined for a block that has none, such as an enum. */
  const open: (Message[] | undefined)[] = [top];
  for (const [at, token] of tokens.entries()) {
    const within = open.at(-1);
    if (token === '}') {
      if (open.length > 1) open.pop();
    } else if (token === '{') {
      const name = blockName(tokens, at);
      const message: Message | undefined = name === undefined ? undefined : { name, isEntry: false, messages: [] };
      const owner = within ?? open.findLast((one) => one !== undefined);
      if (message !== undefined) owner?.push(message);
      open.push(message?.messages);
    } else if (token === 'package' && open.length === 1 && tokens[at + 2] === ';') {
      packageName = tokens[at + 1] ?? '';
    } else if (token === 'map' && tokens[at + 1] === '<' && open.length > 1) {
      within?.push({ name: 'Entry', isEntry: true, messages: [] });
    }
  }
  return { packageName, messages: top };
}

function blockName(tokens: readonly string[], at: number): string | undefined {
  if (tokens[at - 2] === 'message') return tokens[at - 1];
  // `optional group Result = 1 {`, with or without options.
  let from = at - 1;
  while (from > 0 && !/^[;{}]$/.test(tokens[from] as string)) from -= 1;
  const group = tokens.indexOf('group', from);
  return group > 0 && group < at && tokens[group + 2] === '=' ? tokens[group + 1] : undefined;
}
