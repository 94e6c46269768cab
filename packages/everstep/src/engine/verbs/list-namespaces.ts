import { describedNamespace } from '../namespace-info.ts';
import type { Verb } from '../verb.ts';

export const listNamespaces: Verb<'listNamespaces'> = async (context) => {
  await context.namespaces.load();
  return {
    namespaces: context.namespaces
      .all()
      .map((namespace) => describedNamespace(namespace, context.coreLimits)),
  };
};
