/** What a decision about a SipCluster looks at. */
import {
  clusterOfDatabase,
  countLiveNodes,
  type ClusterIdentity,
  type Installation,
} from "../adapters/mysql/installation.ts";

export interface ClusterWorld {
  readonly installationId: string;
  /** The SipCluster that the database belongs to. */
  readonly holder: ClusterIdentity | undefined;
  readonly liveNodes: number;
}

export const readClusterWorld = async ({ id, database }: Installation): Promise<ClusterWorld> => ({
  installationId: id,
  holder: await clusterOfDatabase(database),
  liveNodes: await countLiveNodes(database),
});
