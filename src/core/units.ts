/** 1,024 bytes. */
export const KiB = 1024;
/** 1,024 KiB in bytes. */
export const MiB = 1024 * KiB;
/** 1,024 MiB in bytes. */
export const GiB = 1024 * MiB;
