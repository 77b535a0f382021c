{{- define "driftgauge.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "driftgauge.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "driftgauge.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "driftgauge.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "driftgauge.selector" -}}
app.kubernetes.io/name: {{ include "driftgauge.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "driftgauge.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{ include "driftgauge.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "driftgauge.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "driftgauge.receiverToken" -}}
{{- default (printf "%s-token" (include "driftgauge.fullname" .)) .Values.receiver.token.secretName }}
{{- end }}

{{- define "driftgauge.triggerToken" -}}
{{- default (printf "%s-trigger-token" (include "driftgauge.fullname" .)) .Values.trigger.token.secretName }}
{{- end }}

{{- /* "true" where injected sidecars are init containers that restart. */}}
{{- define "driftgauge.injectorNative" -}}
{{- $given := .Values.injector.native }}
{{- or (eq $given "always") (and (eq $given "auto") (semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version)) }}
{{- end }}

{{- define "driftgauge.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "driftgauge.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{- /* The trigger asks the receiver, and `helm test` asks all of them. */}}
{{- define "driftgauge.ownPods" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ include "driftgauge.name" . }}
      app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "driftgauge.claim" -}}
accessModes:
  {{- toYaml .accessModes | nindent 2 }}
{{- with .storageClassName }}
storageClassName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .size | quote }}
{{- end }}

{{- /* The user's configuration, and over it what the chart decides: where tokens and data lie. */}}
{{- define "driftgauge.receiverConfig" -}}
{{- $ours := dict "intake" (dict "token_file" "/etc/driftgauge/token/token") }}
{{- toYaml (mergeOverwrite (deepCopy (omit .Values.config "trigger")) $ours) }}
{{- end }}

{{- define "driftgauge.triggerConfig" -}}
{{- $ours := dict "token_file" "/etc/driftgauge/token/token" }}
{{- if .Values.trigger.token.approval }}
{{- $_ := set $ours "approval_token_file" "/etc/driftgauge/token/approval" }}
{{- end }}
{{- $given := default (dict) .Values.config.trigger }}
{{- if and .Values.receiver.enabled (not (dig "sidecar" "url" "" $given)) (not (dig "prometheus" "url" "" $given)) }}
{{- $_ := set $ours "sidecar" (dict "url" (printf "http://%s:9878" (include "driftgauge.fullname" .))) }}
{{- end }}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) (dict "trigger" $ours)) }}
{{- end }}
