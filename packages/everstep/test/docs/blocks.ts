/** The `ts` blocks of the documents, and what those marked `<!-- run -->` or as the README's first must print. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../../', import.meta.url));

export interface Block {
  /** `docs/guide/steps.md:12`, the line of its fence. */
  readonly place: string;
  /** A name for its file: `steps-12`. */
  readonly name: string;
  readonly code: string;
  /** What it prints, when it is to be run. */
  readonly prints: string | undefined;
}

/** README.md and the guide; the reference shows signatures, which are no modules. */
export function documents(): readonly string[] {
  const guide = readdirSync(`${root}docs/guide`).filter((name) => name.endsWith('.md'));
  return ['README.md', ...guide.sort().map((name) => `docs/guide/${name}`)];
}

export function blocksOf(path: string): readonly Block[] {
  const text = readFileSync(root + path, 'utf8');
  const stem = (path.split('/').at(-1) ?? '').replace(/\.md$/, '').toLowerCase();
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => {
    const before = text.slice(0, match.index);
    const line = before.split('\n').length;
    const place = `${path}:${line}`;
    const runs = /<!-- (?:run|snippet:first) -->\s*$/.test(before);
    return {
      place,
      name: `${stem}-${line}`,
      code: match[1] ?? '',
      prints: runs ? printed(text.slice(match.index + match[0].length), place) : undefined,
    };
  });
}

function printed(after: string, place: string): string {
  const text = /^\s*(?:[^`\n]+\n\s*)?```text\n([\s\S]*?)^```$/m.exec(after);
  if (text === null || text.index > 0) {
    throw new TypeError(
      `${place} is marked to run; a \`\`\`text block with its output must follow`,
    );
  }
  return text[1] ?? '';
}
