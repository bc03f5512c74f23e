import { OptionError } from '../core/errors.js';
import { type Location, sharedName } from '../core/location.js';
import type { SinkLedger, SourceTraits } from '../delivery/traits.js';

/** Throws where a flow writes to what it reads from: each value would be redelivered forever. */
export function expectNoLoop(flow: string, reads: readonly Location[], writes: readonly Location[]): void {
  for (const read of reads) {
    for (const written of writes) {
      const shared = sharedName(read, written);
      if (shared === undefined) continue;
      throw new OptionError(
        'RXF_FLOW_LOOP',
        `Flow \`${flow}\` reads from ${read.kind} \`${shared}\` at ${read.addresses.join(', ')} and writes to it: each value ` +
          'would be redelivered forever. Write to another, or read from another.',
        { details: { kind: read.kind, name: shared } },
      );
    }
  }
}

/** Throws where the sink keeps the positions of another system than the source reads from. */
export function expectSameSystem(flow: string, source: SourceTraits | undefined, ledger: SinkLedger | undefined): void {
  const { reads = [], resumeFrom } = source ?? {};
  const { addresses, at, offsetStore } = ledger ?? {};
  if (addresses === undefined || resumeFrom === undefined || resumeFrom !== offsetStore) return;
  const other = reads.find((read) => !read.addresses.some((one) => addresses.includes(one)));
  if (other === undefined) return;
  throw new OptionError(
    'RXF_FLOW_INVALID',
    `Expected the source of flow \`${flow}\` to read where the sink writes, got ${other.addresses.join(', ')} and \`resumeFrom\` for ` +
      `${at}. Leave \`resumeFrom\` out: from one cluster to another the flow is at least once.`,
  );
}
