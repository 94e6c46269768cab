import { timestampOf } from '../../core/time.ts';
import { batchStateOf, batchesNamespaceId, listedTypeOf } from '../batches.ts';
import { decodeListPage, encodeListPage } from '../page-token.ts';
import type { Verb } from '../verb.ts';

/** Newest first. */
export const listBatchOperations: Verb<'listBatchOperations'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const pageMax = context.limits.listPageMax;
  const asked = request.pageSize ?? 0;
  const limit = asked > 0 && asked <= pageMax ? asked : pageMax;
  const after = decodeListPage(request.nextPageToken);
  const rows = await context.store.visibility.list({
    namespaceId: batchesNamespaceId(namespace.namespaceId),
    limit,
    ...(after && { after }),
  });
  const last = rows.at(-1);
  return {
    operationInfo: rows.map((row) => ({
      jobId: row.key.workflowId,
      state: batchStateOf(row.columns.status),
      operationType: listedTypeOf(row),
      startTime: timestampOf(row.columns.startTime),
      ...(row.columns.closeTime > 0 && { closeTime: timestampOf(row.columns.closeTime) }),
    })),
    ...(last && rows.length === limit
      ? { nextPageToken: encodeListPage({ startTime: last.columns.startTime, ref: last.ref }) }
      : {}),
  };
};
