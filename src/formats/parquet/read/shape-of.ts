import type { SchemaTree } from 'hyparquet';
import { isListLike } from 'hyparquet/src/schema.js';

/** Makes a value of what hyparquet made of lists, maps and structs: null for what is absent, and maps with their keys. */
export type ShapeOf = (value: unknown) => unknown;

/** The shape of a column; `isElement` where its repetition is that of the list around it. */
export function shapeOf(tree: SchemaTree, isElement = false): ShapeOf {
  const one = oneOf(tree);
  if (tree.element.repetition_type !== 'REPEATED' || isElement) return (value) => (isAbsent(value) ? null : one(value));
  return (value) => ((value ?? []) as unknown[]).map(one);
}

function oneOf(tree: SchemaTree): ShapeOf {
  const { element, children } = tree;
  if (children.length === 0) return (value) => value ?? null;
  if (element.converted_type === 'LIST') return listOf(tree);
  if (element.logical_type?.type === 'MAP') return mapOf(tree);
  return structOf(tree);
}

function listOf(tree: SchemaTree): ShapeOf {
  const repeated = tree.children[0] as SchemaTree;
  // An older form, whose repeated group is the element.
  if (!isListLike(tree)) {
    const struct = structOf(tree);
    return (value) => (isAbsent(value) ? null : (struct(value) as Record<string, unknown>)[repeated.element.name]);
  }
  const isWrapped = repeated.children.length === 1;
  const element = isWrapped ? shapeOf(repeated.children[0] as SchemaTree) : shapeOf(repeated, true);
  return (value) => (isAbsent(value) ? null : (value as unknown[]).map(element));
}

const TEXTS: readonly unknown[] = ['STRING', 'UTF8', 'ENUM', 'UUID'];

/** An object where the keys are texts, otherwise a `Map`: what a column of `column.map` takes. */
function mapOf(tree: SchemaTree): ShapeOf {
  const entries = tree.children[0] as SchemaTree;
  const [key, value] = entries.children;
  if (key === undefined || value === undefined || entries.children.length !== 2) return structOf(tree);
  const shape = shapeOf(entries);
  const hasTexts = TEXTS.includes(key.element.logical_type?.type ?? key.element.converted_type);
  return (map) => {
    if (isAbsent(map)) return null;
    const all = shape((map as Record<string, unknown>)[entries.element.name]) as Record<string, unknown>[];
    const pairs = all.map((entry) => [entry[key.element.name], entry[value.element.name]] as const);
    // `fromEntries` defines `__proto__` as any other name.
    return hasTexts ? Object.fromEntries(pairs as [string, unknown][]) : new Map(pairs);
  };
}

function structOf({ children }: SchemaTree): ShapeOf {
  const fields = children.map((child) => [child.element.name, shapeOf(child)] as const);
  return (value) => {
    if (isAbsent(value)) return null;
    const out: Record<string, unknown> = {};
    for (const [name, shape] of fields) out[name] = shape((value as Record<string, unknown>)[name]);
    return out;
  };
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
