/** A line for each command that people copy and change. */
const EXAMPLES: Readonly<Record<string, string>> = {
  run: 'rxflume run flow.ts --metrics 127.0.0.1:9464',
  check: 'rxflume check flow.ts',
  graph: 'rxflume graph flow.ts --mermaid > flow.mmd',
  plan: 'rxflume plan flow.ts --sample topic --rate 50000/s --measure-writes',
  ledger: 'rxflume ledger webhdfs://nn1:9870/lake/chat --stream kafka:chat/3',
  alerts: 'rxflume alerts test alerts.ts',
  schema: 'rxflume schema pull https://registry:8081 chat-value > chat.ts',
};

/** The help of one command: its usage, options, exit codes, and an example; cut from the help of all. */
export function helpOf(verb: string, help: string): string {
  const lines = help.split('\n');
  const uses = (line: string) => /^(?:Usage:| {6}) rxflume (\w+)/.exec(line)?.[1];
  const first = lines.findIndex((line) => uses(line) === verb);
  const more = lines.slice(first + 1).findIndex((line) => line.trim() === '' || (uses(line) ?? verb) !== verb);
  const usage = lines.slice(first, first + 1 + more).map((line) => line.replace(/^Usage:/, '      '));
  const summary = lines.find((line) => new RegExp(`^${verb} +\\S`).test(line))?.replace(/^\w+ +/, '');
  const at = lines.indexOf(`Options of ${verb}:`);
  const options = at < 0 ? [] : ['', ...lines.slice(at, lines.indexOf('', at))];
  const exit = lines.filter((line) => new RegExp(`^ {2}(?:${verb}|all) +\\d`).test(line));
  return [
    `Usage:${usage.join('\n').slice(6)}`,
    '',
    `${summary?.slice(0, 1).toUpperCase()}${summary?.slice(1)}.`,
    ...options,
    '',
    'Exit codes:',
    ...exit.map((line) => line.replace(/^ {2}\w+ +/, '  ')),
    '',
    `Example: ${EXAMPLES[verb]}`,
    '',
  ].join('\n');
}
