import { checkText } from '../check.js';
import { command, oneArgument } from '../command.js';
import { flowOf } from '../flow-of.js';

export const check = command({
  name: 'check',
  usage: ['check <file>'],
  summary: 'print what the flow guarantees, and why; makes no connection',
  options: {},
  optionsHelp: [],
  exitCodes: '0 printed',
  example: 'rxflume check flow.ts',
  read: (given) => ({ file: oneArgument('check', 'the file of a flow', given) }),
  async run({ file }, context) {
    const flow = await flowOf(file, context);
    if (flow === undefined) return 2;
    context.out.write(checkText(flow));
    return 0;
  },
});
