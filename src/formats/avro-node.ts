/** A logical type that is known here. */
export type AvroLogical =
  | { readonly name: 'date' | 'timestamp-millis' | 'timestamp-micros' | 'uuid' }
  | { readonly name: 'decimal'; readonly precision: number; readonly scale: number };

/** A type of a schema that was checked, with references to types by name resolved. A record may hold itself. */
export type AvroNode = AvroPrimitive | AvroArray | AvroMap | AvroUnion | AvroRecordNode | AvroEnum | AvroFixed;

export interface AvroPrimitive {
  readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';
  readonly logical?: AvroLogical | undefined;
}

export interface AvroArray {
  readonly kind: 'array';
  readonly items: AvroNode;
}

export interface AvroMap {
  readonly kind: 'map';
  readonly values: AvroNode;
}

export interface AvroUnion {
  readonly kind: 'union';
  readonly branches: readonly AvroNode[];
}

interface Named {
  /** With its namespace. */
  readonly name: string;
  /** With their namespaces. */
  readonly aliases: readonly string[];
}

export interface AvroRecordNode extends Named {
  readonly kind: 'record';
  readonly fields: readonly AvroFieldNode[];
}

export interface AvroFieldNode {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: AvroNode;
  /** As JSON; undefined for none. */
  readonly default?: unknown;
}

export interface AvroEnum extends Named {
  readonly kind: 'enum';
  readonly symbols: readonly string[];
  /** What a symbol that is not among them is read as. */
  readonly default?: string | undefined;
}

export interface AvroFixed extends Named {
  readonly kind: 'fixed';
  readonly size: number;
  readonly logical?: AvroLogical | undefined;
}
