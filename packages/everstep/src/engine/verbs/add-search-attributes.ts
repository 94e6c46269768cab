import { ServiceError } from '../../service/service-error.ts';
import { attributeTypeOf } from '../../core/search-attribute-type.ts';
import type { AttributeType } from '../../core/search-attribute-type.ts';
import { attributeTypeName, systemAttributes } from '../search-attributes.ts';
import type { OperatorVerb } from '../verb.ts';
import { invalid } from './request-run.ts';

/** No limit on their number (VS-3). Adding one again with its type changes nothing. */
export const addSearchAttributes: OperatorVerb<'addSearchAttributes'> = async (
  context,
  request,
) => {
  const wanted: Record<string, AttributeType> = {};
  for (const [name, type] of Object.entries(request.searchAttributes ?? {})) {
    const typeName = attributeTypeName(type);
    if (typeName === undefined) {
      throw invalid(`Search attribute ${name} has the unknown type ${type}.`);
    }
    if (!/^[A-Za-z][\w-]*$/.test(name)) {
      throw invalid(
        `Search attribute '${name}' has no valid name: a letter, then letters, digits, - and _.`,
      );
    }
    if (Object.hasOwn(systemAttributes, name)) {
      throw invalid(`Search attribute ${name} is reserved by system.`);
    }
    wanted[name] = typeName;
  }
  if (Object.keys(wanted).length === 0) throw invalid('SearchAttributes are not set on request.');
  await context.namespaces.update(request.namespace, (config) => {
    for (const [name, type] of Object.entries(wanted)) {
      const registered = attributeTypeOf(name, config.searchAttributes);
      if (registered !== undefined && registered !== type) {
        throw new ServiceError({
          code: 'ALREADY_EXISTS',
          message: `Search attribute ${name} already exists and has different type ${registered}.`,
        });
      }
    }
    return { ...config, searchAttributes: { ...config.searchAttributes, ...wanted } };
  });
  return {};
};
