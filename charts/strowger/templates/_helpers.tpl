{{- define "strowger.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 47 characters: suffixes are appended. */}}
{{- define "strowger.fullname" -}}
{{- $name := include "strowger.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 47 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 47 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "strowger.operatorName" -}}
{{- printf "%s-operator" (include "strowger.fullname" .) -}}
{{- end -}}

{{- define "strowger.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "strowger.operatorName" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The operator's selector labels. They never change for a release. */}}
{{- define "strowger.selectorLabels" -}}
app.kubernetes.io/name: {{ include "strowger.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{/* Arguments: root, component. */}}
{{- define "strowger.labels" -}}
{{- with .root -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "strowger.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: {{ $.component }}
app.kubernetes.io/part-of: strowger
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Arguments: image, version. */}}
{{- define "strowger.image" -}}
{{- $repository := .image.repository -}}
{{- with .image.registry }}{{ $repository = printf "%s/%s" (trimSuffix "/" .) $repository }}{{ end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .version .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "strowger.operatorImage" -}}
{{- include "strowger.image" (dict "image" .Values.image "version" .Chart.AppVersion) -}}
{{- end -}}

{{/* "true" if the operator serves listed namespaces only. */}}
{{- define "strowger.isNamespaced" -}}
{{- if .Values.watchNamespaces }}true{{ end -}}
{{- end -}}

{{/* PromQL matchers for the series of this release's operator and of its SIP nodes. */}}
{{- define "strowger.operatorSeries" -}}
{{- printf "job=%q, namespace=%q" .Values.metrics.jobs.operator .Release.Namespace -}}
{{- end -}}

{{- define "strowger.nodeSeries" -}}
{{- printf "job=%q" .Values.metrics.jobs.sipNode -}}
{{- if include "strowger.isNamespaced" . }}{{ printf ", namespace=~%q" (join "|" .Values.watchNamespaces) }}{{ end -}}
{{- end -}}

{{/*
The rules of the operator in a namespace whose objects it serves. Server-side apply needs create and patch. The garbage
collector removes the objects of a SipCluster together with it, so only few kinds need delete.
*/}}
{{- define "strowger.rulesOfNamespace" -}}
- apiGroups: [sip.strowger.dev]
  resources: [sipclusters, sipdomains, sipusers]
  verbs: [get, list, watch, patch]
- apiGroups: [sip.strowger.dev]
  resources: [sipclusters/status, sipdomains/status, sipusers/status]
  verbs: [patch]
# Secrets are read by name. The operator itself limits its watch to a label.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts]
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, create, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* The rules of the uninstall hook in a namespace whose objects the operator serves. */}}
{{- define "strowger.rulesOfUninstall" -}}
- apiGroups: [sip.strowger.dev]
  resources: [sipclusters, sipdomains, sipusers]
  verbs: [get, list, patch]
{{- end -}}

{{/* The rules of the self-test in such a namespace. It reads only the two Secrets that are generated for its own users. */}}
{{- define "strowger.rulesOfSelfTest" -}}
- apiGroups: [sip.strowger.dev]
  resources: [sipclusters]
  verbs: [get, list]
- apiGroups: [sip.strowger.dev]
  resources: [sipdomains, sipusers]
  verbs: [create]
- apiGroups: [sip.strowger.dev]
  resources: [sipdomains, sipusers]
  resourceNames: [strowger-selftest, strowger-selftest-caller, strowger-selftest-callee]
  verbs: [get, delete]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [strowger-selftest-caller-sip-password, strowger-selftest-callee-sip-password]
  verbs: [get]
{{- end -}}

{{/*
The ServiceAccount `name` with `rules` in every served namespace. Arguments: root, name, component, rules, and annotations. The annotations
make the objects hooks. Without annotations they are objects of the release.
*/}}
{{- define "strowger.hookAccount" -}}
{{- $root := .root -}}
{{- $hook := . -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "strowger.labels" $hook | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- if $root.Values.rbac.create }}
{{- if include "strowger.isNamespaced" $root }}
{{- range $root.Values.watchNamespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $hook.name }}
  namespace: {{ . }}
  labels:
    {{- include "strowger.labels" $hook | nindent 4 }}
  {{- with $hook.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
rules:
  {{- $hook.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $hook.name }}
  namespace: {{ . }}
  labels:
    {{- include "strowger.labels" $hook | nindent 4 }}
  {{- with $hook.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $hook.name }}
subjects:
  - kind: ServiceAccount
    name: {{ $hook.name }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}
{{- else }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}
  labels:
    {{- include "strowger.labels" $hook | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "strowger.labels" $hook | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Labels of a hook's pod: the labels of the operator's pods, then the labels of hooks. Arguments: root, component. */}}
{{- define "strowger.hookPodLabels" -}}
{{- $own := include "strowger.labels" . | fromYaml -}}
{{- toYaml (merge $own (deepCopy .root.Values.hooks.podLabels) (deepCopy .root.Values.podLabels)) -}}
{{- end -}}

{{/* Annotations of a hook's pod, in the same order; empty if there are none. */}}
{{- define "strowger.hookPodAnnotations" -}}
{{- with merge (deepCopy .Values.hooks.podAnnotations) (deepCopy .Values.podAnnotations) }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* The pod spec of a hook without its container. Arguments: root, account. */}}
{{- define "strowger.hookPod" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: true
restartPolicy: Never
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A container that runs the command `strowger` of the operator's image against the API server. Arguments: root, name, args. */}}
{{- define "strowger.hookContainer" -}}
name: {{ .name }}
image: {{ include "strowger.operatorImage" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
command: [node, cli/src/main.ts]
args:
  {{- toYaml .args | nindent 2 }}
env:
  - name: NODE_EXTRA_CA_CERTS
    value: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
resources:
  requests:
    cpu: 50m
    memory: 160Mi
  limits:
    memory: 256Mi
{{- end -}}
