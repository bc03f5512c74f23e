declare module 'snappyjs' {
  export function compress(plain: Buffer): Uint8Array;
  export function uncompress(compressed: Buffer, maxLength?: number): Buffer;
}
declare module 'lz4js' {
  export function compress(plain: Uint8Array): Uint8Array;
}
