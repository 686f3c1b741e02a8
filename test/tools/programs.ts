/**
 * The programs of the Kubernetes tests that have no package in Debian 12: the Go module of this folder that pins each, and the approximate
 * time of its first build on two cores. Programs are built in this order; those that most tests need come first.
 */
export interface Program {
  /** The folder of its go.mod. */
  readonly module: "kubernetes" | "helm" | "coredns" | "pause";
  readonly importPath: string;
  /** The time of a build with empty caches, after those above. */
  readonly seconds: number;
}

const kubernetes = (name: string, seconds: number): Program => ({
  module: "kubernetes",
  importPath: `k8s.io/kubernetes/cmd/${name}`,
  seconds,
});

export const programs = {
  "kube-apiserver": kubernetes("kube-apiserver", 200),
  kubectl: kubernetes("kubectl", 20),
  helm: { module: "helm", importPath: "helm.sh/helm/v3/cmd/helm", seconds: 60 },
  "kube-controller-manager": kubernetes("kube-controller-manager", 50),
  "kube-scheduler": kubernetes("kube-scheduler", 5),
  kubelet: kubernetes("kubelet", 20),
  "kube-proxy": kubernetes("kube-proxy", 10),
  coredns: { module: "coredns", importPath: "github.com/coredns/coredns", seconds: 100 },
  pause: { module: "pause", importPath: ".", seconds: 2 },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

export const programNames = Object.keys(programs) as ProgramName[];
