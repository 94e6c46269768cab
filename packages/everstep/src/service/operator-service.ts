/** The part of Temporal's public OperatorService that the embedded engine has built. Read first: workflow-service.ts. */
import type { temporal } from '@temporalio/proto';
import type { Rpc } from './workflow-service.ts';

export interface OperatorService {
  addSearchAttributes: Rpc<
    temporal.api.operatorservice.v1.IAddSearchAttributesRequest,
    temporal.api.operatorservice.v1.IAddSearchAttributesResponse
  >;
  removeSearchAttributes: Rpc<
    temporal.api.operatorservice.v1.IRemoveSearchAttributesRequest,
    temporal.api.operatorservice.v1.IRemoveSearchAttributesResponse
  >;
  listSearchAttributes: Rpc<
    temporal.api.operatorservice.v1.IListSearchAttributesRequest,
    temporal.api.operatorservice.v1.IListSearchAttributesResponse
  >;
  listClusters: Rpc<
    temporal.api.operatorservice.v1.IListClustersRequest,
    temporal.api.operatorservice.v1.IListClustersResponse
  >;
  deleteNamespace: Rpc<
    temporal.api.operatorservice.v1.IDeleteNamespaceRequest,
    temporal.api.operatorservice.v1.IDeleteNamespaceResponse
  >;
}
