/** A flow that a file exports. */
export interface FlowPlace {
  readonly file: string;
  readonly flow: string;
  /** Whether processes that run it divide its input among them. */
  readonly isShared: boolean;
}

/** A process that is to run. */
export interface Post {
  /** `chat` where it is the only one of its flow, otherwise `chat-1` and so on. */
  readonly id: string;
  readonly file: string;
  readonly flow: string;
}

/** The processes of flows, so many for each, or what is wrong with that. */
export function postsOf(flows: readonly FlowPlace[], processes: number): readonly Post[] | string {
  const seen = new Map<string, string>();
  for (const { flow, file } of flows) {
    const other = seen.get(flow);
    if (other !== undefined) {
      const where = other === file ? `twice in ${file}` : `in ${other} and in ${file}`;
      return `There is a flow \`${flow}\` ${where}. Give each flow a name of its own: metrics and the ledger are kept by it.`;
    }
    seen.set(flow, file);
  }
  const alone = flows.find(({ isShared }) => !isShared);
  if (processes > 1 && alone !== undefined) {
    return (
      `Flow \`${alone.flow}\` of ${alone.file} can't run in ${processes} processes: its source does not divide its input among them, so each would read all of it ` +
      'or only one could. Leave out `--processes`, or run this file alone.'
    );
  }
  return flows.flatMap(({ file, flow }) =>
    Array.from({ length: processes }, (_, at) => ({ id: processes === 1 ? flow : `${flow}-${at + 1}`, file, flow })),
  );
}
