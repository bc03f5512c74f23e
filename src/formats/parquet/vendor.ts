import { OptionError } from '../../core/errors.js';

/** What of hyparquet-writer is used: its Thrift footer and page headers, and its levels. */
export interface Vendor {
  readonly ByteWriter: typeof import('hyparquet-writer').ByteWriter;
  readonly ParquetWriter: typeof import('hyparquet-writer').ParquetWriter;
  readonly writePageHeader: typeof import('hyparquet-writer/src/datapage.js').writePageHeader;
  readonly writeRleBitPackedHybrid: typeof import('hyparquet-writer/src/encoding.js').writeRleBitPackedHybrid;
}

async function load(): Promise<Vendor | { readonly missing: unknown }> {
  try {
    const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
    const { writePageHeader } = await import('hyparquet-writer/src/datapage.js');
    const { writeRleBitPackedHybrid } = await import('hyparquet-writer/src/encoding.js');
    return { ByteWriter, ParquetWriter, writePageHeader, writeRleBitPackedHybrid };
  } catch (missing) {
    return { missing };
  }
}

// At once, since formats are made at the call; and so that the other formats of the entry need no such package.
const loaded = await load();

/** The optional package `hyparquet-writer`. Throws `OptionError` where it is not installed. */
export function vendorOf(found: typeof loaded = loaded): Vendor {
  if (!('missing' in found)) return found;
  throw new OptionError(
    'RXF_DRIVER_MISSING',
    'parquet() needs the package hyparquet-writer 0.17.0, which cannot be loaded. Run `npm install hyparquet-writer@0.17.0`.',
    { details: { package: 'hyparquet-writer', wanted: '0.17.0' }, cause: found.missing },
  );
}
