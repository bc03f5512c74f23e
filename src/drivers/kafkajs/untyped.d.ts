declare module 'snappyjs' {
  export function compress(plain: Buffer): Uint8Array;
}
declare module 'lz4js' {
  export function compress(plain: Uint8Array): Uint8Array;
}
