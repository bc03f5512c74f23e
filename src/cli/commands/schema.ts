import { command } from '../command.js';
import type { SchemaAsked } from '../schema/schema.js';
import { suggestion } from '../suggestion.js';

export const schema = command<SchemaAsked>({
  name: 'schema',
  usage: ['schema pull <url> <subject> [--json]'],
  summary: 'print the newest schema of a subject of a schema registry as TypeScript',
  options: { json: { type: 'boolean' } },
  optionsHelp: ['--json                 print one JSON object, for programs, with all that the schema refers to'],
  exitCodes: '0 printed, 1 not there, or the registry did not answer',
  example: 'rxflume schema pull https://registry:8081 chat-value > chat.ts',
  read([action, url, subject, ...rest], { json }) {
    if (action !== 'pull')
      throw new Error(
        `\`schema\` needs \`pull\`, the URL of a registry and a subject${suggestion(action ?? '', ['pull'])}`,
      );
    if (url === undefined || subject === undefined)
      throw new Error('`schema pull` needs the URL of a registry and a subject');
    if (rest.length > 0) throw new Error(`\`schema pull\` takes two arguments; also got \`${rest[0]}\``);
    return { url, subject, isJson: json === true };
  },
  async run(asked, context) {
    const { schema: pull } = await import('../schema/schema.js');
    return pull(asked, context);
  },
});
