import type { Engine } from '../engine/engine.ts';
import { attributeTypes } from '../engine/search-attributes.ts';
import type { AttributeType } from '../engine/search-attributes.ts';

/** Of one namespace; those that are registered already are left. */
export async function registerAttributes(
  { operator }: Engine,
  namespace: string,
  attributes: Readonly<Record<string, AttributeType>>,
): Promise<void> {
  const searchAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, type]) => [name, attributeTypes[type]]),
  );
  if (Object.keys(searchAttributes).length === 0) return;
  await operator.addSearchAttributes({ namespace, searchAttributes });
}
