import { ServiceError } from '../../service/service-error.ts';
import { systemAttributes } from '../search-attributes.ts';
import type { OperatorVerb } from '../verb.ts';
import { invalid } from './request-run.ts';

/** Takes them out of the registry; runs keep the values they have. */
export const removeSearchAttributes: OperatorVerb<'removeSearchAttributes'> = async (
  context,
  request,
) => {
  const names = request.searchAttributes ?? [];
  if (names.length === 0) throw invalid('SearchAttributes are not set on request.');
  await context.namespaces.update(request.namespace, (config) => {
    const searchAttributes = { ...config.searchAttributes };
    for (const name of names) {
      if (Object.hasOwn(systemAttributes, name)) {
        throw invalid(`Unable to remove non-custom search attributes: ${name}.`);
      }
      if (!Object.hasOwn(searchAttributes, name)) {
        throw new ServiceError({
          code: 'NOT_FOUND',
          message: `Search attribute ${name} doesn't exist.`,
          detail: { kind: 'notFound' },
        });
      }
      delete searchAttributes[name];
    }
    return { ...config, searchAttributes };
  });
  return {};
};
