import { customAttributes, systemAttributes } from '../search-attributes.ts';
import type { OperatorVerb } from '../verb.ts';

export const listSearchAttributes: OperatorVerb<'listSearchAttributes'> = async (
  context,
  request,
) => {
  await context.namespaces.load();
  const { config } = await context.namespaces.get(request.namespace);
  return {
    customAttributes: customAttributes(config.searchAttributes),
    systemAttributes: { ...systemAttributes },
    storageSchema: {},
  };
};
