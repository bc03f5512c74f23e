import { command, oneArgument } from '../command.js';
import { flowOf } from '../flow-of.js';
import { type GraphForm, graphOf } from '../graph.js';

export const graph = command({
  name: 'graph',
  usage: ['graph <file> [--mermaid | --json]'],
  summary: 'print the parts of the flow, from its source to its sink; makes no connection',
  options: { mermaid: { type: 'boolean' }, json: { type: 'boolean' } },
  optionsHelp: [
    '--mermaid              print a Mermaid flowchart',
    '--json                 print one JSON object, for programs',
  ],
  exitCodes: '0 printed',
  example: 'rxflume graph flow.ts --mermaid > flow.mmd',
  read(given, { mermaid, json }) {
    const file = oneArgument('graph', 'the file of a flow', given);
    if (mermaid && json) throw new Error('`graph` prints either `--mermaid` or `--json`');
    const form: GraphForm = mermaid ? 'mermaid' : json ? 'json' : 'text';
    return { file, form };
  },
  async run({ file, form }, context) {
    const flow = await flowOf(file, context);
    if (flow === undefined) return 2;
    context.out.write(graphOf(flow, form));
    return 0;
  },
});
