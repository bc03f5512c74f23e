import { command } from '../command.js';

export const check = command({
  name: 'check',
  usage: ['check <file>… [--json]'],
  summary: 'print what flows guarantee, and why, and where they hand over to each other; makes no connection',
  options: { json: { type: 'boolean' } },
  optionsHelp: ['--json                 print one JSON object, for programs'],
  notes: 'A file may export several flows, by default and by name.',
  exitCodes: '0 printed, 1 flows feed each other in a circle',
  example: 'rxflume check flows/*.ts --json',
  read: (given, options) => {
    if (given.length === 0) throw new Error('`check` needs the file of a flow, or several');
    return { files: given, isJson: options.json === true };
  },
  async run(asked, context) {
    const { check: checked } = await import('../check/check.js');
    return checked(asked, context);
  },
});
