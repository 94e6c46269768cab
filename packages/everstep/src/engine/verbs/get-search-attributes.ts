import { customAttributes, systemAttributes } from '../search-attributes.ts';
import type { Verb } from '../verb.ts';

/** Names no namespace: those of all, with the system's. */
export const getSearchAttributes: Verb<'getSearchAttributes'> = async (context) => {
  await context.namespaces.load();
  const keys = { ...systemAttributes };
  for (const { config } of context.namespaces.all()) {
    Object.assign(keys, customAttributes(config.searchAttributes));
  }
  return { keys };
};
