/** Names of folders, with `*` for any characters and `?` for one: what a blacklist holds. */

/** Whether the name is one of these, or fits one of them. Upper and lower case differ. */
export function fittingPattern(name: string, patterns: readonly string[]): string | undefined {
  return patterns.find((pattern) => expressionOf(pattern).test(name));
}

function expressionOf(pattern: string): RegExp {
  const source = pattern
    .replace(/\*+/g, '*')
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'su');
}
