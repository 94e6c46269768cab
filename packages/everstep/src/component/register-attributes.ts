import { attributeTypes } from '../engine/search-attributes.ts';
import type { AttributeType } from '../engine/search-attributes.ts';
import type { OperatorService } from '../service/operator-service.ts';

/** Of one namespace; those that are registered already, with that type, are left. */
export async function registerAttributes(
  operator: Pick<OperatorService, 'listSearchAttributes' | 'addSearchAttributes'>,
  namespace: string,
  attributes: Readonly<Record<string, AttributeType>>,
): Promise<void> {
  if (Object.keys(attributes).length === 0) return;
  const { customAttributes } = await operator.listSearchAttributes({ namespace });
  const fresh = Object.entries(attributes).filter(
    ([name, type]) => customAttributes?.[name] !== attributeTypes[type],
  );
  if (fresh.length === 0) return;
  const searchAttributes = Object.fromEntries(
    fresh.map(([name, type]) => [name, attributeTypes[type]]),
  );
  await operator.addSearchAttributes({ namespace, searchAttributes });
}
