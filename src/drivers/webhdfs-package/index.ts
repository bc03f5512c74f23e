/**
 * HDFS through the package webhdfs, with one NameNode.
 *
 * @packageDocumentation
 */
export { WEBHDFS_PACKAGE_DEFAULTS, type WebHdfsPackageOptions } from './options.js';
export { webhdfsPackage } from './webhdfs-package.js';
